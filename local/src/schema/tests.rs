//! The schema and the strict reader agree.

use super::{program, text};
use jsonschema::Validator;
use loyalty_domain::json::{Faults, Severity, parse};
use loyalty_domain::program::Program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The example programs of the repository, by name.
fn documents() -> Vec<(String, Value)> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join("programs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(root().join("program.json"));
    assert!(files.len() > 5);
    let read = |file: PathBuf| {
        let document = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        (file.file_name().unwrap().to_string_lossy().into_owned(), document)
    };
    files.into_iter().map(read).collect()
}

fn validator() -> Validator {
    jsonschema::validator_for(program().as_value()).unwrap()
}

fn read(document: &Value) -> Result<(), Faults> {
    parse(document.to_string().as_bytes()).and_then(|json| Program::checked(&json)).map(|_| ())
}

/// Whether the reader finds a wrong shape; what means nothing is beyond the schema.
fn is_malformed(read: &Result<(), Faults>) -> bool {
    read.as_ref().is_err_and(|faults| faults.list().iter().any(|fault| fault.severity == Severity::Malformed))
}

/// Every kind of place in the documents of the repository, with a document that has it and holds little else.
fn places() -> Vec<(Value, String, String)> {
    fn walk(value: &Value, pointer: &str, kind: &str, seen: &mut BTreeSet<String>, places: &mut Vec<String>) {
        let named: Vec<(String, String, &Value)> = match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (format!("{pointer}/{name}"), format!("{kind}/{name}"), value))
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, value)| (format!("{pointer}/{index}"), format!("{kind}/*"), value))
                .collect(),
            _ => Vec::new(),
        };
        if seen.insert(format!("{kind} {:?}", names(value))) {
            places.push(pointer.to_owned());
        }
        for (pointer, kind, value) in named {
            walk(value, &pointer, &kind, seen, places);
        }
    }
    let (mut seen, mut all) = (BTreeSet::new(), Vec::new());
    for (name, document) in documents() {
        let mut places = Vec::new();
        walk(&document, "", "", &mut seen, &mut places);
        let mut without = document.clone();
        without.as_object_mut().unwrap().remove("examples");
        for place in places {
            let document = if place.starts_with("/examples") { &document } else { &without };
            if document.pointer(&place).is_some() {
                all.push((document.clone(), format!("{name} {place}"), place));
            }
        }
    }
    assert!(all.len() > 100);
    all
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().map(|fields| fields.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// All names of properties in the schema.
fn properties(schema: &Value, into: &mut BTreeSet<String>) {
    if let Some(named) = schema.get("properties").and_then(Value::as_object) {
        into.extend(named.keys().cloned());
    }
    let inner: Vec<&Value> = match schema {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().for_each(|schema| properties(schema, into));
}

/// Compares what both say of a changed document.
#[track_caller]
fn agree(validator: &Validator, changed: &Value, what: &str) {
    let (fits, read) = (validator.is_valid(changed), read(changed));
    assert!(fits || read.is_err(), "{what}: the reader takes what the schema refuses");
    assert!(!fits || !is_malformed(&read), "{what}: the schema takes what the reader refuses: {read:?}");
}

#[test]
fn the_schema_in_the_repository_is_current() {
    let kept = fs::read_to_string(root().join("program.schema.json")).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept, *program().as_value(), "cargo run -- schema > program.schema.json");
    assert_eq!(kept, serde_json::from_str::<Value>(&text()).unwrap());
}

#[test]
fn every_program_of_the_repository_fits_the_schema_and_can_be_published() {
    for (name, document) in documents() {
        let faults: Vec<String> =
            validator().iter_errors(&document).map(|fault| format!("{} {fault}", fault.instance_path())).collect();
        assert_eq!(faults, [""; 0], "{name}");
        assert_eq!(read(&document), Ok(()), "{name}");
    }
}

#[test]
fn both_know_the_same_fields_in_every_object() {
    let validator = validator();
    let mut fields = BTreeSet::from(["colour".to_owned()]);
    properties(program().as_value(), &mut fields);
    for (document, what, place) in places() {
        for field in &fields {
            let mut changed = document.clone();
            let Some(object) = changed.pointer_mut(&place).unwrap().as_object_mut() else { continue };
            // Attributes have any name. Examples read purchases as tills send them, and then want no member.
            let open = place.ends_with("/attributes") || (place.ends_with("/purchase") && field == "member");
            if !open && !object.contains_key(field) {
                // What may be left out may be null; what is not known may not.
                object.insert(field.clone(), Value::Null);
                let (fits, read) = (validator.is_valid(&changed), read(&changed));
                assert_eq!(fits, !is_malformed(&read), "{what} {field}: {read:?}");
            }
        }
    }
}

#[test]
fn both_miss_the_same_fields() {
    let validator = validator();
    for (document, what, place) in places() {
        for field in names(document.pointer(&place).unwrap()) {
            let mut changed = document.clone();
            changed.pointer_mut(&place).unwrap().as_object_mut().unwrap().remove(field);
            agree(&validator, &changed, &format!("{what} without {field}"));
        }
    }
}

#[test]
fn both_refuse_values_of_the_wrong_kind() {
    let validator = validator();
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(""),
        json!("x y"),
        json!(".."),
        json!("x".repeat(101)),
        json!([]),
        json!({}),
    ];
    for (document, what, place) in places().into_iter().filter(|(_, _, place)| !place.is_empty()) {
        for value in &values {
            // Names of zones are beyond a schema.
            if place == "/time_zone" && value.is_string() {
                continue;
            }
            let mut changed = document.clone();
            *changed.pointer_mut(&place).unwrap() = value.clone();
            agree(&validator, &changed, &format!("{what} = {value}"));
        }
    }
}

#[test]
fn every_field_that_the_reader_asks_for_is_in_the_schema_and_explained() {
    let mut fields = BTreeSet::new();
    properties(program().as_value(), &mut fields);
    let sources = root().join("shared/domain/src/program");
    let mut asked = BTreeSet::new();
    for entry in fs::read_dir(sources).unwrap() {
        let Ok(source) = fs::read_to_string(entry.unwrap().path()) else { continue };
        for call in [".required(", ".optional("] {
            for after in source.split(call).skip(1) {
                let name = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                asked.extend(name.map(str::to_owned));
            }
        }
    }
    assert!(asked.len() > 50);
    assert_eq!(asked.difference(&fields).collect::<Vec<_>>(), [""; 0]);
    let schema = program();
    let undescribed = schema.as_value()["$defs"].as_object().unwrap().iter().flat_map(|(kind, schema)| {
        let named = schema["properties"].as_object().into_iter().flatten();
        named.filter(|(_, schema)| schema["description"].is_null()).map(move |(name, _)| format!("{kind} {name}"))
    });
    assert_eq!(undescribed.collect::<Vec<_>>(), [""; 0]);
}
