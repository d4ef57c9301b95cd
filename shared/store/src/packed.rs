//! Packed parts of items: postcard behind one byte that names the layout, so that stored bytes stay readable for ever.

use crate::error::StoreError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The layout written now.
const LAYOUT: u8 = 1;

/// Packs a value.
///
/// # Errors
/// [`StoreError::Corrupt`] if it cannot be packed, which no value of ours can.
pub(crate) fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(value, vec![LAYOUT]).map_err(|_| StoreError::Corrupt("a value cannot be packed"))
}

/// Unpacks a value.
///
/// # Errors
/// [`StoreError::Corrupt`] if the bytes are of another layout or broken.
pub(crate) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&LAYOUT, packed)) => {
            postcard::from_bytes(packed).map_err(|_| StoreError::Corrupt("a packed value cannot be read"))
        }
        Some(_) | None => Err(StoreError::Corrupt("a packed value is of an unknown layout")),
    }
}
