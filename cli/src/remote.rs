//! The owner's API of a site's Worker, for the commands that publish. The token comes from the environment alone: arguments are seen
//! by others on the machine and stay in the shell's history.

use idoine::Program;
use serde::Deserialize;
use serde_json::Value;
use std::io::IsTerminal;
use std::time::Duration;
use ureq::http::{Response, StatusCode, Uri};
use ureq::{Agent, Body};

/// The variable that holds the token.
const TOKEN: &str = "IDOINE_TOKEN";

/// The largest answer that is read: the largest program that KV takes, and something for its envelope.
const MAX_BYTES: u64 = 26 << 20;

/// The most seconds that are waited where a site says when to ask again.
const LONGEST_WAIT: u64 = 60;

/// A version is with every isolate within a minute: so many seconds are waited.
const TAKEN_WITHIN: i64 = 60;

/// Where the Worker answers.
#[derive(clap::Args)]
pub(crate) struct To {
    /// The site, such as https://shop.example; its Worker knows the token in the variable IDOINE_TOKEN
    #[arg(long, value_name = "URL", value_parser = base)]
    to: String,
}

/// Scheme and host of a site. Its token must not be read on the way there.
pub(crate) fn base(text: &str) -> Result<String, String> {
    let expected = "expected the site's address alone, such as https://shop.example";
    let uri: Uri = text.parse().map_err(|_| expected.to_owned())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(expected.to_owned()) };
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
        return Err(expected.to_owned());
    }
    match scheme {
        "https" => {}
        "http" if is_loopback(authority.host()) => {}
        "http" => {
            return Err("plain http is for this machine alone, as the token could be read on its way: use https".to_owned());
        }
        _ => return Err(expected.to_owned()),
    }
    Ok(format!("{scheme}://{authority}"))
}

fn is_loopback(host: &str) -> bool {
    let is_address = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || host.strip_prefix("127.").is_some_and(is_address)
}

/// What is live, and what is going to be.
#[derive(Debug, Deserialize)]
pub(crate) struct State {
    pub(crate) site: String,
    pub(crate) live: Option<String>,
    pub(crate) previous: Option<String>,
    pub(crate) scheduled: Vec<Scheduled>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Scheduled {
    pub(crate) at: String,
    pub(crate) version: String,
}

/// What a live program is to this command.
pub(crate) enum Live {
    /// There is none.
    Nothing,
    /// One that can be looked into.
    Program(Box<Program>),
    /// One that can't, and why.
    Unreadable(String),
}

/// What became of something that may be sent again.
pub(crate) enum Sent {
    /// It was answered.
    Taken(Value),
    /// It may be taken later, and after how many seconds where the site says so.
    Later { why: String, after: Option<u64> },
}

/// A site's Worker.
pub(crate) struct Remote {
    base: String,
    token: String,
    agent: Agent,
}

impl To {
    /// Where the Worker of a site answers whose address [`base`] has read.
    pub(crate) fn at(base: &str) -> To {
        To { to: base.to_owned() }
    }

    /// The Worker, with the token.
    pub(crate) fn open(&self) -> Result<Remote, String> {
        let token = std::env::var(TOKEN).ok().map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| {
            format!("the variable {TOKEN} is not set: it holds a token that the Worker's secret IDOINE_TOKENS lists")
        })?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("the variable {TOKEN} holds no token: a token has neither spaces nor letters beyond ASCII"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_global(Some(Duration::from_secs(300)))
            .user_agent(concat!("idoine/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Remote { base: self.to.clone(), token, agent: Agent::new_with_config(config) })
    }
}

impl Remote {
    /// The address of the site.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks an address of the owner's API for JSON.
    pub(crate) fn get(&self, path: &str) -> Result<Value, String> {
        let answer = self.agent.get(self.url(path)).header("authorization", self.bearer()).call();
        json(self.answered(answer)?)
    }

    /// Asks an address of the owner's API for a list: its lines, and where the next ones begin, if there are any.
    pub(crate) fn lines(&self, path: &str) -> Result<(String, Option<String>), String> {
        let answer = self.agent.get(self.url(path)).header("authorization", self.bearer()).call();
        let answer = self.answered(answer)?;
        let cursor = answer.headers().get("x-idoine-cursor").and_then(|cursor| cursor.to_str().ok()).map(str::to_owned);
        let lines = String::from_utf8(bytes(answer)?).map_err(|_| "the answer is none of an Idoine Worker".to_owned())?;
        Ok((lines, cursor))
    }

    /// Sends bytes or JSON to an address of the owner's API.
    pub(crate) fn post(&self, path: &str, media_type: &str, body: &[u8]) -> Result<Value, String> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer()).header("content-type", media_type);
        json(self.answered(request.send(body))?)
    }

    /// Sends what may be sent again, as the site counts it once. Only what won't ever be taken is an error.
    pub(crate) fn submit(&self, path: &str, media_type: &str, body: &[u8]) -> Result<Sent, String> {
        self.sent(path, media_type, body, MAX_BYTES)
    }

    /// Asks for something long that may be asked for again, and tries three times.
    pub(crate) fn ask(&self, path: &str, body: &Value) -> Result<Value, String> {
        let mut wait = 1;
        for _ in 0..2 {
            match self.sent(path, "application/json", body.to_string().as_bytes(), u64::MAX)? {
                Sent::Taken(answer) => return Ok(answer),
                Sent::Later { after, .. } => std::thread::sleep(Duration::from_secs(after.unwrap_or(wait).min(LONGEST_WAIT))),
            }
            wait *= 4;
        }
        match self.sent(path, "application/json", body.to_string().as_bytes(), u64::MAX)? {
            Sent::Taken(answer) => Ok(answer),
            Sent::Later { why, .. } => Err(why),
        }
    }

    /// What became of a body that may be sent again; of the answer so many bytes are read.
    fn sent(&self, path: &str, media_type: &str, body: &[u8], most: u64) -> Result<Sent, String> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer()).header("content-type", media_type);
        let answer = match request.send(body) {
            Ok(answer) => answer,
            Err(error) => return Ok(Sent::Later { why: self.unreachable(&error), after: None }),
        };
        if answer.status() == StatusCode::TOO_MANY_REQUESTS || answer.status().is_server_error() {
            let after = answer.headers().get("retry-after").and_then(|after| after.to_str().ok()?.parse().ok());
            let status = answer.status();
            let why = self.answered(Ok(answer)).err().unwrap_or_else(|| status.to_string());
            return Ok(Sent::Later { why, after });
        }
        // An answer that breaks off says nothing of what was taken.
        match limited(self.answered(Ok(answer))?, most) {
            Err(why) => Ok(Sent::Later { why, after: None }),
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Sent::Taken).map_err(|_| "the answer is none of an Idoine Worker".to_owned())
            }
        }
    }

    /// Puts something at an address of the owner's API.
    pub(crate) fn put(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.agent.put(self.url(path)).header("authorization", self.bearer());
        json(self.answered(request.header("content-type", "application/json").send(body.to_string().as_bytes()))?)
    }

    /// Takes something back.
    pub(crate) fn delete(&self, path: &str) -> Result<Value, String> {
        let answer = self.agent.delete(self.url(path)).header("authorization", self.bearer()).call();
        json(self.answered(answer)?)
    }

    /// What is live, and what is going to be.
    pub(crate) fn state(&self) -> Result<State, String> {
        read(self.get("program")?)
    }

    /// The live program.
    pub(crate) fn live(&self, state: &State) -> Result<Live, String> {
        let Some(version) = &state.live else { return Ok(Live::Nothing) };
        let answer = self.agent.get(self.url(&format!("program/{version}"))).header("authorization", self.bearer()).call();
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        if answer.status() != StatusCode::OK {
            return Ok(Live::Unreadable(format!("the site does not give it out ({})", answer.status())));
        }
        Ok(match Program::load(bytes(answer)?) {
            Ok(program) => Live::Program(Box::new(program)),
            Err(error) => Live::Unreadable(error.to_string()),
        })
    }

    /// Waits until the site decides with a version; whether it does in time. Tells a person at the terminal how it goes.
    pub(crate) fn wait_for(&self, version: &str) -> bool {
        let (begun, mut told) = (jiff::Timestamp::now(), 0);
        loop {
            let found = self.decides_with();
            if found.as_deref() == Some(version) {
                return true;
            }
            let seconds = begun.duration_until(jiff::Timestamp::now()).as_secs();
            if seconds >= TAKEN_WITHIN {
                return false;
            }
            if std::io::stderr().is_terminal() && seconds >= told + 5 {
                told = seconds;
                eprintln!("{seconds} s: the site still decides with {}", found.as_deref().unwrap_or("no program"));
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// The version that the site decides with at the moment, as any visitor may ask.
    fn decides_with(&self) -> Option<String> {
        let answer = self.agent.get(format!("{}/_idoine/context", self.base)).call().ok()?;
        let known: Value = serde_json::from_slice(&bytes(answer).ok()?).ok()?;
        Some(known.get("version")?.as_str()?.to_owned())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_idoine/api/{path}", self.base)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn unreachable(&self, error: &ureq::Error) -> String {
        format!("{} can't be reached: {error}", self.base)
    }

    /// An answer that says yes; else why not, and what to do.
    fn answered(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, String> {
        let answer = answer.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status.is_redirection() {
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("another address");
            return Err(format!("{} leads to {to}: give that address to --to", self.base));
        }
        let said = bytes(answer).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let message = said.as_ref().and_then(|said| said.pointer("/error/message")).and_then(Value::as_str);
        Err(match (status, message) {
            (StatusCode::UNAUTHORIZED, Some(_)) => {
                format!("{} does not know the token in {TOKEN}: its secret IDOINE_TOKENS has to list it", self.base)
            }
            (_, Some(message)) => message.to_owned(),
            (_, None) if status.is_server_error() => format!("{} answers {status}", self.base),
            (_, None) => format!("{} answers {status}: there is no Idoine Worker that can be published to", self.base),
        })
    }
}

/// A text as a part of a path, or as a parameter.
pub(crate) fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn bytes(answer: Response<Body>) -> Result<Vec<u8>, String> {
    limited(answer, MAX_BYTES)
}

fn limited(mut answer: Response<Body>, most: u64) -> Result<Vec<u8>, String> {
    let read = answer.body_mut().with_config().limit(most).read_to_vec();
    read.map_err(|error| format!("the answer can't be read: {error}"))
}

fn json(answer: Response<Body>) -> Result<Value, String> {
    serde_json::from_slice(&bytes(answer)?).map_err(|_| "the answer is none of an Idoine Worker".to_owned())
}

/// An answer's fields.
pub(crate) fn read<T: for<'a> Deserialize<'a>>(answer: Value) -> Result<T, String> {
    serde_json::from_value(answer).map_err(|error| format!("the answer is none of this version's Idoine Worker: {error}"))
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn a_token_goes_by_https_or_nowhere() {
        for (given, expected) in [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example/", "https://shop.example"),
            ("https://shop.example:8443", "https://shop.example:8443"),
            ("http://localhost:8787/", "http://localhost:8787"),
            ("http://127.0.0.1:1", "http://127.0.0.1:1"),
            ("http://[::1]:8787", "http://[::1]:8787"),
        ] {
            assert_eq!(base(given).as_deref(), Ok(expected));
        }
        for bad in [
            "shop.example",
            "http://shop.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "https://shop.example/path",
            "https://shop.example/?q",
            "https://user:password@shop.example",
            "ftp://shop.example",
            "",
        ] {
            assert!(base(bad).is_err(), "{bad}");
        }
    }
}
