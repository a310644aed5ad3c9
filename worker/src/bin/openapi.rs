//! Prints the API's description: `cargo run -p idoine-worker --features openapi --bin openapi > docs/openapi.json`.

fn main() {
    print!("{}", idoine_worker::openapi::text());
}
