//! The `redeem` function on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    loyalty_lambda::serve(redeem::router).await
}
