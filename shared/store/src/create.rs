//! Making the table, for local stacks and tests; in the cloud the template does.

use crate::error::StoreError;
use crate::keys::{BIRTHDAY_INDEX, BIRTHDAY_KEY, DUE_AT, DUE_INDEX, DUE_KEY, PK, SK, TTL};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
};

/// Makes the table unless it is there.
///
/// # Errors
/// [`StoreError::Refused`] with what the database says.
pub async fn create_table(client: &Client, table: &str) -> Result<(), StoreError> {
    let broken = |error: BuildError| StoreError::Refused(error.to_string());
    let mut request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for name in [PK, SK, DUE_KEY, DUE_AT, BIRTHDAY_KEY] {
        let kind = ScalarAttributeType::S;
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build();
        request = request.attribute_definitions(attribute.map_err(broken)?);
    }
    for element in key_schema(PK, SK).map_err(broken)? {
        request = request.key_schema(element);
    }
    for (index, partition, sort) in [(DUE_INDEX, DUE_KEY, DUE_AT), (BIRTHDAY_INDEX, BIRTHDAY_KEY, PK)] {
        let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
        let schema = key_schema(partition, sort).map_err(broken)?;
        let index =
            GlobalSecondaryIndex::builder().index_name(index).set_key_schema(Some(schema)).projection(keys_only);
        request = request.global_secondary_indexes(index.build().map_err(broken)?);
    }
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    request = request.stream_specification(stream.build().map_err(broken)?);
    match request.send().await {
        Ok(_) => {}
        Err(error) if error.code() == Some("ResourceInUseException") => return Ok(()),
        Err(error) => return Err(StoreError::Refused(DisplayErrorContext(error).to_string())),
    }
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(TTL).build().map_err(broken)?;
    let request = client.update_time_to_live().table_name(table).time_to_live_specification(ttl);
    request.send().await.map_err(|error| StoreError::Refused(DisplayErrorContext(error).to_string()))?;
    Ok(())
}

fn key_schema(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build())
        .collect()
}
