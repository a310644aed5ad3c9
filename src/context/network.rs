//! The network that a request came through, from Cloudflare's `request.cf` and the header that names the visitor's address.

use super::{Context, Field, Request, Value};
use crate::address::Address;
use crate::number::parse_uint;
use crate::text::trim;

#[inline(never)]
pub(super) fn derive(context: &mut Context, request: &Request) {
    for (field, name) in [
        (Field::NetworkOrganization, "asOrganization"),
        (Field::NetworkColo, "colo"),
        (Field::NetworkProtocol, "httpProtocol"),
        (Field::NetworkTls, "tlsVersion"),
    ] {
        context.set_text(field, request.cf(name).unwrap_or_default());
    }
    if let Some(asn) = request.cf("asn").and_then(parse_uint).and_then(|asn| u32::try_from(asn).ok()) {
        context.set(Field::NetworkAsn, Value::Int(i64::from(asn)));
    }
    let score = request.cf("botManagement.score").and_then(parse_uint);
    if let Some(score) = score.filter(|score| (1..=99).contains(score)) {
        context.set(Field::NetworkBotScore, Value::Int(score as i64));
    }
    match request.cf("botManagement.verifiedBot") {
        Some("true") => context.set(Field::NetworkVerifiedBot, Value::Bool(true)),
        Some("false") => context.set(Field::NetworkVerifiedBot, Value::Bool(false)),
        _ => {}
    }
    let address = trim(request.header("cf-connecting-ip").unwrap_or_default());
    if Address::parse(address).is_some() {
        context.set_text(Field::NetworkIp, address);
    }
}
