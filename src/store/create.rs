//! A way to an S3 server on which every request is made only where nothing stands.

use std::pin::Pin;

use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::{ClientOptions, HeaderValue};

/// Connects with the header `If-None-Match: *` on every request. Headers by default, which clients have as well, would
/// replace options that came from the environment.
#[derive(Debug)]
pub(super) struct Create;

impl HttpConnector for Create {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        ReqwestConnector::default().connect(options).map(|inner| HttpClient::new(Service(inner)))
    }
}

#[derive(Debug)]
struct Service(HttpClient);

impl HttpService for Service {
    fn call<'a, 'b>(
        &'a self,
        mut request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        request.headers_mut().insert("if-none-match", HeaderValue::from_static("*"));
        Box::pin(self.0.execute(request))
    }
}
