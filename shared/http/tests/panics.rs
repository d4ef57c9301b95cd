//! The panic hook belongs to the whole process, so its test has one of its own.

use loyalty_http::log_panics;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_panic_is_logged_by_its_place_and_never_by_its_words() {
    let log = Log::default();
    let writer = log.clone();
    let json = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(json, || {
        log_panics();
        assert!(std::panic::catch_unwind(|| panic!("ada@example.com")).is_err());
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("tests/panics.rs:"), "{text}");
    assert!(!text.contains("ada"), "{text}");
}
