//! What cannot start says why in one line and ends with 1.

use crate::process::{Running, Scratch, loyalty};
use std::net::TcpListener;
use std::process::Command;

#[track_caller]
fn one_line(mut command: Command, mentions: &[&str]) {
    let output = command.output().unwrap();
    let (out, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!((out.as_str(), said.trim_end().lines().count()), ("", 1), "{said}");
    assert!(said.starts_with("loyalty: "), "{said}");
    for word in mentions {
        assert!(said.contains(word), "no {word} in: {said}");
    }
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    one_line(loyalty(&["serve", "--memory", "--port", &port]), &[&port, "in use", "--port"]);
}

#[test]
fn a_data_folder_that_cannot_be_written() {
    let scratch = Scratch::new("unwritable");
    let file = scratch.0.join("file");
    std::fs::write(&file, "").unwrap();
    for folder in [file.join("data"), file] {
        let folder = folder.to_str().unwrap();
        one_line(loyalty(&["serve", "--port", "0", "--data", folder]), &["data folder", folder, "cannot be written"]);
    }
}

#[test]
fn a_data_folder_that_is_in_use() {
    let scratch = Scratch::new("in-use");
    let running = Running::start(&scratch.data());
    let folder = scratch.data();
    one_line(loyalty(&["serve", "--port", "0", "--data", folder.to_str().unwrap()]), &["in use"]);
    running.kill();
}

#[test]
fn a_data_folder_that_holds_something_else() {
    let scratch = Scratch::new("unreadable");
    std::fs::create_dir_all(scratch.data()).unwrap();
    std::fs::write(scratch.data().join("dynamodb.sqlite"), "this is no database, but it is long enough to look")
        .unwrap();
    one_line(loyalty(&["serve", "--port", "0", "--data", scratch.data().to_str().unwrap()]), &["no readable database"]);
}

#[test]
fn a_broken_program_file() {
    let scratch = Scratch::new("program");
    let file = scratch.0.join("program.json");
    for (content, mentions) in [
        ("{\"name\": ", "not JSON"),
        ("[]", "object"),
        ("{\"name\": \"x\", \"surprise\": 1}", "/surprise"),
        ("", "broken"),
    ] {
        std::fs::write(&file, content).unwrap();
        let mut command = loyalty(&["serve", "--port", "0", "--memory", "--program"]);
        command.arg(&file);
        one_line(command, &["program", mentions]);
    }
    std::fs::remove_file(&file).unwrap();
    let mut command = loyalty(&["serve", "--port", "0", "--memory", "--program"]);
    command.arg(&file);
    one_line(command, &["program.json"]);
}
