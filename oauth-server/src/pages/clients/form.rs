//! `/create_client` and `/clients/{id}/edit`: one form for both.

use super::{
    Owned,
    fields::Kind,
    is_first, mark,
    more::{self, Section},
    rules,
    show::made,
    was_changed,
};
use crate::{
    audit::{self, Entry},
    pages::{
        errors::Trouble,
        form::{Form, Problems},
        page::{Frame, see_other, show as page},
        visit::SignedIn,
        words::{self, Choice},
    },
    registration::{self, ClientDraft, Field, MOST_CLIENTS, Objection, Registered, Rules},
    state::AppState,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use oauth_core::{error::PortError, model::Scope, params::Params};

/// What is said when somebody else was faster.
const CHANGED: &str =
    "Somebody changed this client while you did. Save again to put this in the place of that.";

/// The ways of proving who one is, in words.
const METHODS: [(&str, &str, &str); 5] = [
    (
        "client_secret_basic",
        "A secret in the Authorization header",
        "client_secret_basic: the usual way for programs that run on a server.",
    ),
    (
        "client_secret_post",
        "A secret in the form",
        "client_secret_post: for programs that cannot do better.",
    ),
    (
        "client_secret_jwt",
        "A JWT secured with a secret",
        "client_secret_jwt: the secret itself is never sent.",
    ),
    (
        "private_key_jwt",
        "A JWT signed with a key of its own",
        "private_key_jwt: this server learns nothing secret. Give the public key, or the address of it, under More.",
    ),
    (
        "none",
        "Nothing: it cannot keep a secret",
        "none: for apps on people\u{2019}s devices and in their browsers.",
    ),
];

#[derive(Template)]
#[template(path = "clients/form.html")]
struct ClientForm {
    frame: Frame,
    title: String,
    is_new: bool,
    action: String,
    back: String,
    once: String,
    draft: ClientDraft,
    redirect_uris: String,
    grants: Vec<Grant>,
    scopes: Vec<Choice>,
    methods: Vec<Choice>,
    responses: Vec<Choice>,
    sections: Vec<Section>,
    more_is_open: bool,
    problems: Problems,
}

struct Grant {
    name: String,
    title: String,
    description: String,
    advised_against: bool,
    checked: bool,
}

/// Whom the form is about.
enum About<'a> {
    New(&'a SignedIn),
    Known(&'a Owned),
}

pub(super) async fn new(State(state): State<AppState>, visit: SignedIn) -> Response {
    let draft = ClientDraft {
        scope: registration::usual_scopes(&state.config).join(" "),
        grant_types: vec!["authorization_code".into(), "refresh_token".into()],
        ..ClientDraft::default()
    };
    form(&state, &About::New(&visit), draft, &[], StatusCode::OK)
}

pub(super) async fn create(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let rules = rules(&state);
    let draft = draft(&rules, &state, &params, ClientDraft::default());
    let about = About::New(&visit);
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let checked = match draft.check(&rules) {
        Ok(checked) => checked,
        Err(objections) => return Ok(form(&state, &about, draft, &objections, refused)),
    };
    let env = state.provider.env();
    let owner = visit.user().id.clone();
    if !registration::has_room(&state, &owner).await? {
        let text = format!("You have {MOST_CLIENTS} clients, which is the most. Delete one first.");
        let objection = Objection { field: Field::Name, text };
        return Ok(form(&state, &about, draft, &[objection], refused));
    }
    let Registered { client, secret } = match checked.register(env, Some(owner)).await {
        Ok(registered) => registered,
        Err(objections) => return Ok(form(&state, &about, draft, &objections, refused)),
    };
    if !is_first(&state, &params).await? {
        return Ok(see_other("/?done=made"));
    }
    if !env.clients.insert_client(client.clone()).await? {
        return Err(PortError::new("a new client id was taken").into());
    }
    let entry = Entry::new(audit::Kind::Registered).client(&client.id).user(&visit.user().id);
    state.audit.write(entry.scope(&client.scope.to_string()).detail("on the pages")).await?;
    tracing::info!(client.id = %client.id, user.id = %visit.user().id, "client registered");
    let location = HeaderValue::from_str(&format!("/clients/{}", client.id));
    let mut response = made(&state, visit.user(), &client, secret, StatusCode::CREATED);
    if let Ok(location) = location {
        response.headers_mut().insert(header::CONTENT_LOCATION, location);
    }
    Ok(response)
}

pub(super) async fn edit(State(state): State<AppState>, owned: Owned) -> Response {
    let draft = ClientDraft::from(&*owned.client);
    form(&state, &About::Known(&owned), draft, &[], StatusCode::OK)
}

pub(super) async fn save(
    State(state): State<AppState>,
    owned: Owned,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let rules = rules(&state);
    let draft = draft(&rules, &state, &params, ClientDraft::from(&*owned.client));
    let env = state.provider.env();
    let replaced = match draft.check(&rules) {
        Ok(checked) => checked.replace(env, &owned.client).await,
        Err(objections) => Err(objections),
    };
    let Registered { client, secret } = match replaced {
        Ok(registered) => registered,
        Err(objections) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(form(&state, &About::Known(&owned), draft, &objections, status));
        }
    };
    if !env.clients.replace_unchanged_client(client.clone(), &owned.client).await? {
        was_changed(&state, &client).await?;
        let objection = Objection { field: Field::Name, text: CHANGED.into() };
        return Ok(form(&state, &About::Known(&owned), draft, &[objection], StatusCode::CONFLICT));
    }
    let entry = Entry::new(audit::Kind::RegistrationChanged).client(&client.id);
    let entry = entry.user(&owned.user().id).scope(&client.scope.to_string());
    state.audit.write(entry.detail("on the pages")).await?;
    tracing::info!(client.id = %client.id, user.id = %owned.user().id, "client changed");
    Ok(match secret {
        None => see_other(&format!("/clients/{}?done=saved", client.id)),
        secret => made(&state, owned.user(), &client, secret, StatusCode::OK),
    })
}

/// What was typed. Grant types, response types and scopes come as boxes that are ticked, as the page has them, or
/// as one text with spaces or lines, as programs send them. What is neither shown nor sent stays as it is.
fn draft(
    rules: &Rules,
    state: &AppState,
    params: &Params,
    mut current: ClientDraft,
) -> ClientDraft {
    more::read(&mut current, params);
    let text = |name: &str| params.get(name).unwrap_or_default().to_owned();
    let listed =
        |name: &str| -> Vec<String> { text(name).split_whitespace().map(str::to_owned).collect() };
    let ticked = |kind: &str, name: &str| params.get(&format!("{kind}:{name}")).is_some();
    let mut grant_types = listed("grant_type");
    grant_types.extend(
        rules.grant_types.iter().filter(|g| ticked("grant_type", g)).map(|&g| g.to_owned()),
    );
    let mut response_types = listed("response_type");
    let offered = rules.response_types.iter().map(|(name, _)| *name);
    response_types.extend(offered.filter(|r| ticked("response_type", r)).map(str::to_owned));
    let mut scope = listed("scope");
    let scopes = state.config.known_scopes().into_iter().map(|s| s.name);
    scope.extend(scopes.filter(|s| ticked("scope", s)));
    ClientDraft {
        name: text("client_name"),
        uri: text("client_uri"),
        scope: scope.join(" "),
        redirect_uris: text("redirect_uri").lines().map(str::to_owned).collect(),
        // Nothing ticked is nothing, and not the default of RFC 7591.
        grant_types: if grant_types.is_empty() { vec![String::new()] } else { grant_types },
        response_types,
        auth_method: params
            .get("token_endpoint_auth_method")
            .map_or(current.auth_method, str::to_owned),
        ..current
    }
}

fn form(
    state: &AppState,
    about: &About<'_>,
    draft: ClientDraft,
    objections: &[Objection],
    status: StatusCode,
) -> Response {
    let rules = rules(state);
    let mut problems = Problems::default();
    for objection in objections {
        match element(objection.field) {
            Some(element) => problems.add(element, objection.text.clone()),
            None => problems.add("client_name", objection.to_string()),
        }
    }
    let (title, action, back, once, user) = match about {
        About::New(visit) => (
            "Create a client".into(),
            "/create_client".into(),
            "/".into(),
            mark(state),
            visit.user(),
        ),
        About::Known(owned) => {
            let (name, id) = (&owned.client.name, &owned.client.id);
            let at = format!("/clients/{id}");
            (format!("Edit {name}"), format!("{at}/edit"), at, String::new(), owned.user())
        }
    };
    let page_of_form = ClientForm {
        frame: Frame::of(state, user, "clients"),
        title,
        is_new: matches!(about, About::New(_)),
        action,
        back,
        once,
        redirect_uris: draft.redirect_uris.join("\n"),
        grants: grants(state, &rules, &draft),
        scopes: scopes(state, &draft),
        methods: methods(&rules, &draft),
        responses: responses(&rules, &draft),
        sections: more::sections(state, &rules, &draft),
        more_is_open: objections.iter().any(|objection| is_under_more(objection, &draft)),
        draft,
        problems,
    };
    page(status, page_of_form)
}

/// The id on the page of what a field is about.
fn element(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::GrantTypes => "grant_type",
        Field::RedirectUris => "redirect_uri",
        Field::ResponseTypes => "response_type",
        Field::Name | Field::Uri | Field::Scope | Field::AuthMethod => field.as_str(),
        field if more::has(field) => field.as_str(),
        _ => return None,
    })
}

/// Whether something is to be done about it under "More": there or, for who signs without a key, in its keys.
fn is_under_more(objection: &Objection, draft: &ClientDraft) -> bool {
    match objection.field {
        Field::ResponseTypes => true,
        Field::AuthMethod => draft.auth_method == "private_key_jwt",
        field => more::has(field),
    }
}

fn grants(state: &AppState, rules: &Rules, draft: &ClientDraft) -> Vec<Grant> {
    let against: Vec<_> = state.provider.grants().warnings().map(|(grant, _)| grant).collect();
    let order = ["authorization_code", "client_credentials", "refresh_token"];
    let mut names = rules.grant_types.clone();
    names.sort_by_key(|g| order.iter().position(|o| o == g).unwrap_or(order.len()));
    let grant = |name: &str| Grant {
        title: words::grant(name).map_or(name, |w| w.title).to_owned(),
        description: words::grant(name).map_or("", |w| w.description).to_owned(),
        advised_against: against.contains(&name),
        checked: draft.grant_types.iter().any(|g| g == name),
        name: name.to_owned(),
    };
    names.into_iter().map(grant).collect()
}

fn scopes(state: &AppState, draft: &ClientDraft) -> Vec<Choice> {
    let chosen = Scope::parse(&draft.scope).unwrap_or_default();
    let choice = |words: crate::config::ScopeWords| Choice {
        checked: chosen.contains(&words.name),
        name: words.name,
        title: words.title,
        description: words.description,
    };
    state.config.known_scopes().into_iter().map(choice).collect()
}

fn methods(rules: &Rules, draft: &ClientDraft) -> Vec<Choice> {
    let chosen = match draft.auth_method.as_str() {
        "" => "client_secret_basic",
        other => other,
    };
    let choice = |(name, title, description): (&str, &str, &str)| Choice {
        name: name.to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        checked: name == chosen,
    };
    METHODS.into_iter().filter(|(name, ..)| rules.auth_methods.contains(name)).map(choice).collect()
}

fn responses(rules: &Rules, draft: &ClientDraft) -> Vec<Choice> {
    let choice = |name: &str| Choice {
        name: name.to_owned(),
        title: name.to_owned(),
        description: match name {
            "code" => "A code that the client exchanges for tokens.",
            "code id_token" => "A code, and beside it who signed in.",
            "code id_token token" => "A code, and beside it who signed in and a token.",
            "code token" => "A code, and a token in the address.",
            "id_token" => "Who signed in, in the address.",
            "id_token token" => "Who signed in and a token, in the address.",
            "none" => "Nothing: it learns only that it was allowed.",
            "token" => "A token in the address.",
            _ => "",
        }
        .to_owned(),
        checked: draft.response_types.iter().any(|r| r == name),
    };
    rules.response_types.iter().map(|(name, _)| choice(name)).collect()
}
