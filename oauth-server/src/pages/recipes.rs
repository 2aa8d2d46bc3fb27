//! Commands to paste into a terminal, one recipe for each grant of a client. They are tested by running them.

mod proof;

use super::words::span;
use crate::state::AppState;
use oauth_core::model::{Client, RedirectUri};
use std::fmt::Write as _;

/// How to get a token by one grant.
pub(super) struct Recipe {
    /// Its id on the page.
    pub(super) id: &'static str,
    /// What it is for.
    pub(super) title: &'static str,
    /// What one should know.
    pub(super) text: &'static str,
    /// What to do.
    pub(super) steps: Vec<Step>,
}

/// One thing to paste.
pub(super) struct Step {
    /// What it does.
    pub(super) text: String,
    /// The commands.
    pub(super) code: String,
}

/// The recipes for a client; with its secret in them where it is known, which it is once.
pub(super) fn recipes(state: &AppState, client: &Client, secret: Option<&str>) -> Vec<Recipe> {
    let kitchen = Kitchen { state, client, secret };
    let offered = |grant: &str| {
        client.may_use(grant) && state.provider.grants().grant_types().any(|g| g == grant)
    };
    let grants =
        ["authorization_code", "client_credentials", "password", "implicit", "refresh_token"];
    let mut recipes = Vec::new();
    for grant in grants.into_iter().filter(|g| offered(g)) {
        recipes.extend(kitchen.cook(grant));
        if grant == "authorization_code" {
            recipes.extend(kitchen.openid());
        }
    }
    recipes.push(kitchen.afterwards());
    recipes
}

struct Kitchen<'a> {
    state: &'a AppState,
    client: &'a Client,
    secret: Option<&'a str>,
}

/// Whether an id token is to be tied to the request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nonce {
    With,
    Without,
}

impl Kitchen<'_> {
    fn cook(&self, grant: &str) -> Option<Recipe> {
        Some(match grant {
            "authorization_code" => self.authorization_code(self.asked_from()?),
            "implicit" => self.implicit(self.asked_from()?),
            "client_credentials" => self.client_credentials(),
            "password" => self.password(),
            _ => self.refresh_token(),
        })
    }

    /// Where people come back to, if a request may be made of plain parameters.
    fn asked_from(&self) -> Option<&str> {
        let signs = self.client.metadata.require_signed_request_object;
        self.client.redirect_uris.first().map(RedirectUri::as_str).filter(|_| !signs)
    }

    fn authorization_code(&self, redirect_uri: &str) -> Recipe {
        let mut steps = self.name();
        steps.extend(self.with_a_browser(redirect_uri, Nonce::Without));
        Recipe {
            id: "authorization_code",
            title: "For somebody who signs in: authorization code",
            text: "Somebody signs in with a browser and allows the client to act. PKCE ties the code that comes back to the one who asked for it.",
            steps,
        }
    }

    /// Who somebody is ([OpenID Connect Core 3.1](https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth)).
    fn openid(&self) -> Option<Recipe> {
        let env = self.state.provider.env();
        if !env.policy.openid || !self.client.scope.contains("openid") {
            return None;
        }
        let redirect_uri = self.asked_from()?;
        let at = |path: &str| single(&self.state.config.issuer().join(path));
        let discover = format!("curl -sS {}", at("/.well-known/openid-configuration"));
        let mut steps = vec![step("See where everything is, and what there is:", &discover)];
        steps.extend(self.name());
        steps.extend(self.with_a_browser(redirect_uri, Nonce::With));
        if self.client.metadata.id_token_encrypted_response.is_none() {
            let read = "printf '%s' \"$ID_TOKEN\" | cut -d . -f 2 | tr '_-' '/+' |\n  \
                 awk '{ while (length($0) % 4) $0 = $0 \"=\"; print }' | openssl base64 -d -A";
            steps.extend([
                step("Copy the id_token of the answer:", &prompt("Id token", "ID_TOKEN")),
                step(
                    &format!(
                        "Read it. A program checks the signature, with a key from {}. It must say of iss {}, of aud the client, and of nonce what echo \"$NONCE\" prints; sub is who signed in:",
                        self.state.config.issuer().join(&env.paths.jwks),
                        self.state.config.issuer().as_str(),
                    ),
                    read,
                ),
            ]);
        }
        let ask =
            format!("curl -sS {} -H \"Authorization: Bearer $TOKEN\"", at(&env.paths.userinfo));
        steps.extend([
            step("Copy the access_token of the answer:", &prompt("Access token", "TOKEN")),
            step("Ask who that is:", &ask),
        ]);
        Some(Recipe {
            id: "openid",
            title: "To know who signs in: OpenID Connect",
            text: "The scope openid brings an id token, which says who signed in, when and how. The nonce ties it to the one who asked.",
            steps,
        })
    }

    /// From asking to tokens by the authorization code grant.
    fn with_a_browser(&self, redirect_uri: &str, nonce: Nonce) -> Vec<Step> {
        let mut secrets =
            "CODE_VERIFIER=$(openssl rand -base64 48 | tr -d '\\n=' | tr '+/' '-_')\n\
             CODE_CHALLENGE=$(printf '%s' \"$CODE_VERIFIER\" | openssl dgst -sha256 -binary |\n  \
             openssl base64 -A | tr -d '=' | tr '+/' '-_')\n\
             STATE=$(openssl rand -hex 16)"
                .to_owned();
        let mut more =
            vec![("code_challenge", "$CODE_CHALLENGE"), ("code_challenge_method", "S256")];
        let mut made = "Make a verifier, the challenge that goes with it, and a state:";
        if nonce == Nonce::With {
            secrets.push_str("\nNONCE=$(openssl rand -hex 16)");
            more.push(("nonce", "$NONCE"));
            made = "Make a verifier, the challenge that goes with it, a state and a nonce:";
        }
        let life = span(self.state.provider.env().policy.code_ttl);
        let exchange = self.token(
            "authorization_code",
            &[
                double("code=$CODE"),
                single(&format!("redirect_uri={redirect_uri}")),
                double("code_verifier=$CODE_VERIFIER"),
            ],
        );
        vec![
            step(made, &secrets),
            step(
                "Open the address that this prints, sign in and allow it:",
                &self.ask("code", redirect_uri, &more),
            ),
            step(
                &format!(
                    "The browser goes back to {redirect_uri}, and nothing needs to be there to answer. Check that state in its address is what echo \"$STATE\" prints, then copy what stands behind code= up to the next &:"
                ),
                &prompt("Code", "CODE"),
            ),
            step(&format!("Exchange the code for tokens, within {life}:"), &exchange),
        ]
    }

    fn client_credentials(&self) -> Recipe {
        Recipe {
            id: "client_credentials",
            title: "For the client itself: client credentials",
            text: "The client acts for nobody but itself.",
            steps: self.named([step(
                "Ask for a token:",
                &self.token("client_credentials", &self.scope()),
            )]),
        }
    }

    fn password(&self) -> Recipe {
        let mut fields = vec![double("username=$USERNAME"), double("password=$PASSWORD")];
        fields.extend(self.scope());
        Recipe {
            id: "password",
            title: "For somebody whose password it knows: password",
            text: "Only for old programs of your own: RFC 9700 advises against it.",
            steps: self.named([
                step("Type the user name:", &prompt("User name", "USERNAME")),
                step(
                    "Type the password, which is not shown:",
                    "printf 'Password: ' && stty -echo; read -r PASSWORD; stty echo",
                ),
                step("Ask for a token:", &self.token("password", &fields)),
            ]),
        }
    }

    fn implicit(&self, redirect_uri: &str) -> Recipe {
        Recipe {
            id: "implicit",
            title: "For somebody who signs in: implicit",
            text: "The token comes back in the address, behind the #, where the history of the browser keeps it. RFC 9700 advises against it.",
            steps: vec![
                step("Name the client:", &format!("CLIENT_ID={}", single(self.client.id.as_str()))),
                step(
                    "Open the address that this prints, sign in and allow it:",
                    &format!(
                        "STATE=$(openssl rand -hex 16)\n{}",
                        self.ask("token", redirect_uri, &[])
                    ),
                ),
            ],
        }
    }

    fn refresh_token(&self) -> Recipe {
        Recipe {
            id: "refresh_token",
            title: "When the access token is over: refresh token",
            text: "Each refresh token is used once; the answer brings the next one. Using one twice revokes them all.",
            steps: self.named([
                step(
                    "Copy the refresh_token of the last answer:",
                    &prompt("Refresh token", "REFRESH_TOKEN"),
                ),
                step(
                    "Ask for new tokens:",
                    &self.token("refresh_token", &[double("refresh_token=$REFRESH_TOKEN")]),
                ),
            ]),
        }
    }

    fn afterwards(&self) -> Recipe {
        let paths = self.state.provider.paths();
        let token = [double("token=$TOKEN")];
        let mut steps = self.named([step("Copy a token:", &prompt("Token", "TOKEN"))]);
        if !self.client.is_public() {
            steps.push(step("Ask what it stands for:", &self.curl(&paths.introspect, &token)));
        }
        steps.push(step("Revoke it:", &self.curl(&paths.revoke, &token)));
        Recipe {
            id: "afterwards",
            title: "Afterwards: look at a token, and end it",
            text: "Revoking an access token ends it; revoking a refresh token ends everything that came with it.",
            steps,
        }
    }

    /// Steps after those that name the client.
    fn named<const N: usize>(&self, steps: [Step; N]) -> Vec<Step> {
        self.name().into_iter().chain(steps).collect()
    }

    /// The scope field, where there is a scope.
    fn scope(&self) -> Vec<String> {
        let scope = &self.client.scope;
        if scope.is_empty() { Vec::new() } else { vec![single(&format!("scope={scope}"))] }
    }

    fn token(&self, grant_type: &str, fields: &[String]) -> String {
        let mut all = vec![format!("grant_type={grant_type}")];
        all.extend(fields.iter().cloned());
        self.curl(&self.state.provider.paths().token, &all)
    }

    /// Prints the address of an authorization request.
    fn ask(&self, response_type: &str, redirect_uri: &str, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("response_type", response_type).append_pair("redirect_uri", redirect_uri);
        if !self.client.scope.is_empty() {
            query.append_pair("scope", &self.client.scope.to_string());
        }
        // A backslash at the end of a line goes away between double quotes, and the line goes on.
        let query = query.finish().replace('&', "\\\n&");
        let address = self.state.config.issuer().join(&self.state.provider.paths().authorize);
        let mut url = format!("{address}?{query}\\\n&client_id=$CLIENT_ID&state=$STATE");
        for (name, value) in more {
            let _ = write!(url, "\\\n&{name}={value}");
        }
        format!("echo {}", double(&url))
    }
}

fn step(text: &str, code: &str) -> Step {
    Step { text: text.to_owned(), code: code.to_owned() }
}

/// Asks for a value. The last line of its step, since it would read what follows.
fn prompt(what: &str, variable: &str) -> String {
    format!("printf '{what}: ' && read -r {variable}")
}

/// Text that the shell takes as it is.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Text of ours in which the shell fills in variables.
fn double(text: &str) -> String {
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::single;

    #[test]
    fn the_shell_takes_nothing_for_a_command() {
        assert_eq!(single("https://c.example/$(id)`id`'x"), "'https://c.example/$(id)`id`'\\''x'");
    }
}
