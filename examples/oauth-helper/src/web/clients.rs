//! Clients on the page.

use super::{
    Web, forms,
    guard::{Posted, Visit},
    views,
};
use crate::{
    client::{Age, Revoked, discovered},
    error::Result,
    model::{Client, Credentials},
};
use axum::{
    Extension,
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};

/// All clients.
pub(super) async fn list(State(web): State<Web>) -> Response {
    match rows(&web).await {
        Ok(rows) => views::list(rows),
        Err(e) => views::failed(&e),
    }
}

async fn rows(web: &Web) -> Result<Vec<views::Row>> {
    let mut rows = Vec::new();
    for client in web.0.store.list().await? {
        let status = web.0.store.client(&client.id.to_string()).await?.status().await?;
        rows.push(views::Row::new(&client, &status));
    }
    Ok(rows)
}

/// One client.
pub(super) async fn detail(
    State(web): State<Web>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    let found = async {
        let client = web.0.store.find(&id).await?;
        let status = web.0.store.client(&client.id.to_string()).await?.status().await?;
        let credentials = web.0.store.credentials(client.id).await?;
        let redirect = web.redirect(&client)?;
        Ok((client, status, credentials, redirect))
    };
    match found.await {
        Ok((client, status, credentials, redirect)) => {
            views::detail(&visit, &client, &status, (&credentials, redirect.as_str()))
        }
        Err(e) => views::failed(&e),
    }
}

/// The empty form.
pub(super) async fn new(State(web): State<Web>, Extension(visit): Extension<Visit>) -> Response {
    let mut client = Client::new("", "");
    client.service.clear();
    views::form(&visit, &client, None, &services(&web).await)
}

async fn services(web: &Web) -> Vec<String> {
    web.0.store.services().await.map(|s| s.into_keys().collect()).unwrap_or_default()
}

/// Adds a client.
pub(super) async fn add(State(web): State<Web>, form: Posted) -> Response {
    let mut client = Client::new("", "");
    let credentials = form.fields.credentials(Credentials::default());
    let outcome =
        form.fields.apply(&mut client).and_then(|()| forms::complete(&client, &credentials));
    let added = match outcome {
        Ok(()) => web.0.store.add(client.clone(), &credentials).await,
        Err(e) => Err(e),
    };
    match added {
        Ok(added) => Redirect::to(&format!("/client-detail/{}", added.id)).into_response(),
        Err(e) => views::form(&form.visit, &client, Some(&e), &services(&web).await),
    }
}

/// The form of a client.
pub(super) async fn edit(
    State(web): State<Web>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    match web.0.store.find(&id).await {
        Ok(client) => views::form(&visit, &client, None, &services(&web).await),
        Err(e) => views::failed(&e),
    }
}

/// Changes a client.
pub(super) async fn save(State(web): State<Web>, Path(id): Path<String>, form: Posted) -> Response {
    let mut client = match web.0.store.find(&id).await {
        Ok(client) => client,
        Err(e) => return views::failed(&e),
    };
    let outcome = change(&web, &mut client, &form).await;
    match outcome {
        Ok(()) => Redirect::to(&format!("/client-detail/{}", client.id)).into_response(),
        Err(e) => views::form(&form.visit, &client, Some(&e), &services(&web).await),
    }
}

async fn change(web: &Web, client: &mut Client, form: &Posted) -> Result<()> {
    form.fields.apply(client)?;
    let before = web.0.store.credentials(client.id).await?;
    let credentials = form.fields.credentials(before.clone());
    forms::complete(client, &credentials)?;
    let fields = form.fields.clone();
    web.0.store.edit(client.id, move |client| fields.apply(client)).await?;
    if credentials != before {
        web.0.store.save_credentials(client.id, &credentials).await?;
    }
    Ok(())
}

/// Asks before it refreshes: the old page did so on GET.
pub(super) async fn ask_refresh(
    State(web): State<Web>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    match web.0.store.find(&id).await {
        Ok(client) => views::confirm_refresh(&visit, &client),
        Err(e) => views::failed(&e),
    }
}

/// Renews the access token.
pub(super) async fn refresh(
    State(web): State<Web>,
    Path(id): Path<String>,
    form: Posted,
) -> Response {
    drop(form);
    let outcome = async {
        let client = web.0.store.client(&id).await?;
        client.refresh().await?;
        client.info().await
    };
    match outcome.await {
        Ok(client) => views::succeeded(&client, "It is refreshed", "There is a new access token."),
        Err(e) => views::failed(&e),
    }
}

/// Takes the tokens back.
pub(super) async fn revoke(
    State(web): State<Web>,
    Path(id): Path<String>,
    form: Posted,
) -> Response {
    drop(form);
    let outcome = async {
        let client = web.0.store.client(&id).await?;
        let revoked = client.revoke().await?;
        Ok((client.info().await?, revoked))
    };
    match outcome.await {
        Ok((client, Revoked::Everywhere)) => views::succeeded(
            &client,
            "The tokens are taken back",
            "The provider does not accept them any more.",
        ),
        Ok((client, Revoked::OnlyHere)) => views::succeeded(
            &client,
            "The tokens are forgotten here",
            "The provider has no way to take them back; they end by themselves.",
        ),
        Ok((client, Revoked::Nothing)) => views::succeeded(
            &client,
            "There was nothing to take back",
            "This client has no tokens.",
        ),
        Err(e) => views::failed(&e),
    }
}

/// Asks before it removes.
pub(super) async fn ask_remove(
    State(web): State<Web>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    match web.0.store.find(&id).await {
        Ok(client) => views::confirm_remove(&visit, &client),
        Err(e) => views::failed(&e),
    }
}

/// Removes a client, its tokens first.
pub(super) async fn remove(
    State(web): State<Web>,
    Path(id): Path<String>,
    form: Posted,
) -> Response {
    let outcome = async {
        let client = web.0.store.client(&id).await?;
        if form.fields.text("no_revoke").is_empty() {
            let info = discovered(&web.0.store, client.info().await?, Age::Any).await;
            // Where the provider is not even known, there is nobody to ask.
            if info.is_ok() || client.status().await?.obtained_at.is_some() {
                client.revoke().await?;
            }
        }
        web.0.store.remove(client.id()).await
    };
    match outcome.await {
        Ok(()) => Redirect::to("/").into_response(),
        Err(e) => views::failed(&e),
    }
}
