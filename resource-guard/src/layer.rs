//! The guard in front of a service.

use crate::{cors, guard::GuardLayer, passage::Passage, refusal::Refusal, refusal::Style};
use http::{Method, Request, Response, request::Parts};
use pin_project_lite::pin_project;
use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
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
    type Future = Answering<S::Future, R, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let nmos = (self.layer.voice().style == Style::Nmos).then(|| parts.method.clone());
        let step = match self.layer.decide_at_once(&parts) {
            Some(Ok(passage)) => {
                Step::Passed { answer: self.inner.call(passing(parts, body, passage)) }
            }
            Some(Err(refusal)) => {
                // What was kept ready for the request is wanted no more.
                self.inner = self.inner.clone();
                Step::refused(&refusal, &self.layer)
            }
            None => {
                // The service that was found ready must be the one that is called.
                let later = self.inner.clone();
                let mut inner = mem::replace(&mut self.inner, later);
                let layer = self.layer.clone();
                let answer = Box::pin(async move {
                    match layer.decide(&parts).await {
                        Ok(passage) => inner.call(passing(parts, body, passage)).await,
                        Err(refusal) => Ok(refusal.response(layer.voice())),
                    }
                });
                Step::Deciding { answer }
            }
        };
        Answering { step, nmos }
    }
}

fn passing<B>(mut parts: Parts, body: B, passage: Passage) -> Request<B> {
    parts.extensions.insert(passage);
    Request::from_parts(parts, body)
}

pin_project! {
    /// The answer to a request that came to the guard.
    pub struct Answering<F, R, E> {
        #[pin]
        step: Step<F, R, E>,
        // The method, where answers carry the headers of NMOS.
        nmos: Option<Method>,
    }
}

type Deciding<R, E> = Pin<Box<dyn Future<Output = Result<Response<R>, E>> + Send>>;

pin_project! {
    #[project = StepNow]
    enum Step<F, R, E> {
        Passed { #[pin] answer: F },
        Refused { answer: Option<Response<R>> },
        Deciding { answer: Deciding<R, E> },
    }
}

impl<F, R: From<String>, E> Step<F, R, E> {
    fn refused(refusal: &Refusal, layer: &GuardLayer) -> Self {
        Self::Refused { answer: Some(refusal.response(layer.voice())) }
    }
}

impl<F, R, E> Future for Answering<F, R, E>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: From<String>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match this.step.project() {
            StepNow::Passed { answer } => ready!(answer.poll(cx))?,
            StepNow::Deciding { answer } => ready!(answer.as_mut().poll(cx))?,
            StepNow::Refused { answer } => answer.take().expect("nobody polls after the answer"),
        };
        if let Some(method) = this.nmos {
            cors::finish(method, &mut response);
        }
        Poll::Ready(Ok(response))
    }
}

impl<F, R, E> fmt::Debug for Answering<F, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering(..)")
    }
}
