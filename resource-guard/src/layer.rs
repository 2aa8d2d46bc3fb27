//! The guard in front of a service.

use crate::{cors, guard::GuardLayer, refusal::Style};
use http::{Request, Response};
use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use tower::{Layer, Service};

/// A service behind the guard.
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    layer: GuardLayer,
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, layer: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that was found ready must be the one that is called.
        let later = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, later);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let nmos = (layer.voice().style == Style::Nmos).then(|| parts.method.clone());
            let mut response = match layer.decide(&parts).await {
                Ok(passage) => {
                    parts.extensions.insert(passage);
                    inner.call(Request::from_parts(parts, body)).await?
                }
                Err(refusal) => refusal.response(layer.voice()),
            };
            if let Some(method) = nmos {
                cors::finish(&method, &mut response);
            }
            Ok(response)
        })
    }
}
