//! JSON bodies: bounded, of the right type, read strictly.

use crate::problem::Problem;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use loyalty_domain::json::{self, Faults, Json, Path};

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 262_144;

/// A body that must be there.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonBody(pub Json);

/// A body that may be left out, which then reads like `{}`.
#[derive(Debug, Clone, PartialEq)]
pub struct OptionalBody(pub Json);

impl JsonBody {
    /// Reads the whole document.
    ///
    /// # Errors
    /// 400 or 422 with every fault that the reader noted.
    pub fn read<T>(&self, reader: impl FnOnce(&Json, &Path<'_>, &mut Faults) -> Option<T>) -> Result<T, Problem> {
        read(&self.0, reader)
    }
}

impl OptionalBody {
    /// Reads the whole document.
    ///
    /// # Errors
    /// 400 or 422 with every fault that the reader noted.
    pub fn read<T>(&self, reader: impl FnOnce(&Json, &Path<'_>, &mut Faults) -> Option<T>) -> Result<T, Problem> {
        read(&self.0, reader)
    }
}

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        document(request).await?.map(Self).ok_or_else(|| malformed("a body is required"))
    }
}

impl<S: Sync> FromRequest<S> for OptionalBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(document(request).await?.unwrap_or_else(|| Json::Map(Vec::new()))))
    }
}

fn read<T>(json: &Json, reader: impl FnOnce(&Json, &Path<'_>, &mut Faults) -> Option<T>) -> Result<T, Problem> {
    let mut faults = Faults::default();
    let value = reader(json, &Path::ROOT, &mut faults);
    Ok(faults.settle(value)?)
}

/// The document that was sent, if any was.
async fn document(request: Request) -> Result<Option<Json>, Problem> {
    let (parts, body) = request.into_parts();
    if announces_too_much(&parts) {
        return Err(too_large());
    }
    let bytes: Bytes = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(_) => return Err(malformed("the body broke off")),
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    if !is_json(&parts) {
        return Err(unsupported(&parts.method));
    }
    Ok(Some(json::parse(&bytes)?))
}

fn announces_too_much(parts: &Parts) -> bool {
    let length = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > MAX_BODY_BYTES as u64)
}

/// Whether the body says it is JSON in UTF-8, not compressed. A PATCH may also call itself a merge patch.
fn is_json(parts: &Parts) -> bool {
    let mut types = parts.headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next().and_then(|value| value.to_str().ok()), types.next()) else {
        return false;
    };
    let mut pieces = only.split(';').map(str::trim);
    let essence = pieces.next().unwrap_or_default();
    let accepted = accepted(&parts.method).iter().any(|accepted| essence.eq_ignore_ascii_case(accepted));
    let utf8 = pieces.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    let plain = parts.headers.get_all(CONTENT_ENCODING).iter().all(|encoding| encoding == "identity");
    accepted && utf8 && plain
}

fn accepted(method: &Method) -> &'static [&'static str] {
    if method == Method::PATCH { &["application/json", "application/merge-patch+json"] } else { &["application/json"] }
}

fn malformed(detail: &str) -> Problem {
    let mut faults = Faults::default();
    faults.malformed(&Path::ROOT, detail);
    Problem::from_faults(faults)
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large")
        .fact("limit_bytes", MAX_BODY_BYTES)
}

fn unsupported(method: &Method) -> Problem {
    let title = "The body is not of a type that is understood here";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type_unsupported", title)
        .detail("JSON in UTF-8 is needed, without content encoding.")
        .fact("accepted", accepted(method).to_vec())
}
