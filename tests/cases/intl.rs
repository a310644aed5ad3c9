//! The time zones of a JavaScript host, for the tests in Wasm.
#![allow(clippy::unwrap_used, missing_docs)]

use idoine::Offsets;
use idoine::compile::Zones;
use js_sys::Function;

/// The host's own knowledge, as a function from zone and epoch milliseconds to seconds ahead of UTC.
pub fn function() -> Function {
    let body = r#"
        // As worker/js/host.js: names only, no "+01:00".
        if (!/^[A-Za-z]/.test(zone)) return undefined;
        try {
            // A manifest's zone is looked at thousands of times, and making a formatter takes far longer than using it.
            const formats = (globalThis.formatsByZone ??= {});
            const format = (formats[zone] ??= new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }));
            const name = format.formatToParts(ms).find((part) => part.type === "timeZoneName").value;
            const [, sign, hours, minutes, seconds = "0"] = /GMT([+-])(\d+):(\d+):?(\d+)?/.exec(name) ?? ["", "+", "0", "0"];
            return Number(sign + 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds));
        } catch {
            return undefined;
        }"#;
    Function::new_with_args("zone, ms", body)
}

#[allow(dead_code)] // The author's module takes the function itself.
pub struct Intl(pub Function);

#[allow(dead_code)]
impl Intl {
    /// What is known of a zone around an instant in epoch milliseconds.
    pub fn offsets(&self, zone: &str, instant: i64) -> Offsets {
        Offsets::around(instant, |instant| self.offset(zone, instant))
    }
}

impl Zones for Intl {
    fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
        let seconds = self.0.call2(&js_sys::Object::new(), &zone.into(), &(instant as f64).into()).ok()?;
        seconds.as_f64().map(|seconds| seconds as i32)
    }
}
