//! Sees to it that program `main` has the rules it should have, through the very route that operators use.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use http::{Method, Request, StatusCode};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tower::ServiceExt;

/// The example that a stack without a program of its own starts with.
pub const EXAMPLE: &str = include_str!("../../program.json");

/// Why a program is not published.
#[derive(Debug, thiserror::Error)]
pub enum ProgramTrouble {
    /// The file cannot be read.
    #[error("the program file {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        source: std::io::Error,
    },
    /// The file is not strict JSON.
    #[error("the program file {} is broken: {fault}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The first fault and where it is.
        fault: String,
    },
    /// The program function does not take it.
    #[error("the program is not published: {0}")]
    Refused(String),
}

/// What was found or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The newest version.
    pub version: u64,
    /// From when on it counts, RFC 3339.
    pub effective_from: String,
    /// Its name for people.
    pub name: String,
    /// Whether it was published just now.
    pub new: bool,
}

/// The document in a file, once it is sure to be JSON.
///
/// # Errors
/// The file cannot be read, or holds something else than one JSON document without doubled keys.
pub fn read_file(path: &Path) -> Result<String, ProgramTrouble> {
    let text =
        fs::read_to_string(path).map_err(|source| ProgramTrouble::Unreadable { path: path.to_owned(), source })?;
    match loyalty_domain::json::parse(text.as_bytes()) {
        Ok(_) => Ok(text),
        Err(faults) => {
            let fault = faults.list().first().map(|fault| match fault.pointer.as_str() {
                "" => fault.detail.clone(),
                pointer => format!("{pointer} {}", fault.detail),
            });
            Err(ProgramTrouble::Broken { path: path.to_owned(), fault: fault.unwrap_or_default() })
        }
    }
}

/// Publishes the example if `main` has no program yet, or a document of one's own if it is not the newest already.
///
/// # Errors
/// The program function refuses the document, or does not answer as it should.
pub async fn ensure(stack: &Router, token: &str, own: Option<&str>) -> Result<Published, ProgramTrouble> {
    let route = Route { stack, token };
    let newest = route.newest().await?;
    match (newest, own) {
        (Some(newest), None) => newest.published(),
        (Some(newest), Some(own)) if newest.holds(own) => newest.published(),
        (newest, own) => route.publish(newest.map(|newest| newest.version), own.unwrap_or(EXAMPLE)).await,
    }
}

/// A version as `GET` answers it.
struct Version {
    version: u64,
    body: Value,
}

impl Version {
    fn of(body: Value) -> Result<Self, ProgramTrouble> {
        let version = body.get("version").and_then(Value::as_u64);
        version.map(|version| Self { version, body }).ok_or_else(|| odd("an answer without a version"))
    }

    fn holds(&self, document: &str) -> bool {
        serde_json::from_str::<Value>(document).ok().as_ref() == self.body.get("document")
    }

    fn published(&self) -> Result<Published, ProgramTrouble> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        Ok(Published {
            version: self.version,
            effective_from: text(self.body.get("effective_from")).ok_or_else(|| odd("a version without a start"))?,
            name: text(self.body.pointer("/document/name")).unwrap_or_default(),
            new: false,
        })
    }
}

struct Route<'a> {
    stack: &'a Router,
    token: &'a str,
}

impl Route<'_> {
    /// The newest version, which need not be in force yet.
    async fn newest(&self) -> Result<Option<Version>, ProgramTrouble> {
        let Some(mut newest) = self.get("/v1/program").await? else { return Ok(None) };
        while let Some(next) = self.get(&format!("/v1/program/versions/{}", newest.version.saturating_add(1))).await? {
            newest = next;
        }
        Ok(Some(newest))
    }

    async fn get(&self, path: &str) -> Result<Option<Version>, ProgramTrouble> {
        match self.send(Method::GET, path, None, "").await? {
            (StatusCode::OK, body) => Version::of(body).map(Some),
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, body) => Err(refusal(status, &body)),
        }
    }

    async fn publish(&self, over: Option<u64>, document: &str) -> Result<Published, ProgramTrouble> {
        let (status, answer) = self.send(Method::PUT, "/v1/program", over, document).await?;
        if status != StatusCode::CREATED {
            return Err(refusal(status, &answer));
        }
        let version = Version::of(answer)?;
        let document: Value = serde_json::from_str(document).unwrap_or_default();
        let name = document.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Published { name, new: true, ..version.published()? })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        if_match: Option<u64>,
        body: &str,
    ) -> Result<(StatusCode, Value), ProgramTrouble> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, "application/json");
        if let Some(version) = if_match {
            request = request.header(IF_MATCH, format!("\"{version}\""));
        }
        let request = request.body(Body::from(body.to_owned())).map_err(odd)?;
        let Ok(response) = self.stack.clone().oneshot(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.map_err(odd)?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }
}

fn odd(what: impl std::fmt::Display) -> ProgramTrouble {
    ProgramTrouble::Refused(format!("the program function gives {what}"))
}

/// A problem document in one line, with everything that an author needs to mend the program.
fn refusal(status: StatusCode, problem: &Value) -> ProgramTrouble {
    let text = |name: &str| problem.get(name).and_then(Value::as_str);
    let faults: Vec<String> = problem
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|fault| Some(format!("{} {}", fault.get("pointer")?.as_str()?, fault.get("detail")?.as_str()?)))
        .collect();
    ProgramTrouble::Refused(if faults.is_empty() {
        let code = text("code").unwrap_or("no code");
        format!("{status}, {code} {}", text("detail").or(text("title")).unwrap_or_default()).trim_end().to_owned()
    } else {
        faults.join("; ")
    })
}

#[cfg(test)]
mod tests;
