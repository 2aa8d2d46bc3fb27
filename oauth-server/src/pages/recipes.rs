//! Commands to paste into a terminal, one recipe for each grant of a client. They are tested by running them.

use super::words::span;
use crate::state::AppState;
use oauth_core::model::{Client, ClientAuth, SecretMethod};
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
    let grants = grants.into_iter().filter(|g| offered(g)).filter_map(|g| kitchen.cook(g));
    grants.chain([kitchen.afterwards()]).collect()
}

struct Kitchen<'a> {
    state: &'a AppState,
    client: &'a Client,
    secret: Option<&'a str>,
}

impl Kitchen<'_> {
    fn cook(&self, grant: &str) -> Option<Recipe> {
        Some(match grant {
            "authorization_code" => {
                self.authorization_code(self.client.redirect_uris.first()?.as_str())
            }
            "implicit" => self.implicit(self.client.redirect_uris.first()?.as_str()),
            "client_credentials" => self.client_credentials(),
            "password" => self.password(),
            _ => self.refresh_token(),
        })
    }

    fn authorization_code(&self, redirect_uri: &str) -> Recipe {
        let verifier = "CODE_VERIFIER=$(openssl rand -base64 48 | tr -d '\\n=' | tr '+/' '-_')\n\
             CODE_CHALLENGE=$(printf '%s' \"$CODE_VERIFIER\" | openssl dgst -sha256 -binary |\n  \
             openssl base64 -A | tr -d '=' | tr '+/' '-_')\n\
             STATE=$(openssl rand -hex 16)";
        let life = span(self.state.provider.env().policy.code_ttl);
        let more = [("code_challenge", "$CODE_CHALLENGE"), ("code_challenge_method", "S256")];
        let exchange = self.token(
            "authorization_code",
            &[
                double("code=$CODE"),
                single(&format!("redirect_uri={redirect_uri}")),
                double("code_verifier=$CODE_VERIFIER"),
            ],
        );
        Recipe {
            id: "authorization_code",
            title: "For somebody who signs in: authorization code",
            text: "Somebody signs in with a browser and allows the client to act. PKCE ties the code that comes back to the one who asked for it.",
            steps: vec![
                self.name(),
                step("Make a verifier, the challenge that goes with it, and a state:", verifier),
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
            ],
        }
    }

    fn client_credentials(&self) -> Recipe {
        Recipe {
            id: "client_credentials",
            title: "For the client itself: client credentials",
            text: "The client acts for nobody but itself.",
            steps: vec![
                self.name(),
                step("Ask for a token:", &self.token("client_credentials", &self.scope())),
            ],
        }
    }

    fn password(&self) -> Recipe {
        let mut fields = vec![double("username=$USERNAME"), double("password=$PASSWORD")];
        fields.extend(self.scope());
        Recipe {
            id: "password",
            title: "For somebody whose password it knows: password",
            text: "Only for old programs of your own: RFC 9700 advises against it.",
            steps: vec![
                self.name(),
                step("Type the user name:", &prompt("User name", "USERNAME")),
                step(
                    "Type the password, which is not shown:",
                    "printf 'Password: ' && stty -echo; read -r PASSWORD; stty echo",
                ),
                step("Ask for a token:", &self.token("password", &fields)),
            ],
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
            steps: vec![
                self.name(),
                step(
                    "Copy the refresh_token of the last answer:",
                    &prompt("Refresh token", "REFRESH_TOKEN"),
                ),
                step(
                    "Ask for new tokens:",
                    &self.token("refresh_token", &[double("refresh_token=$REFRESH_TOKEN")]),
                ),
            ],
        }
    }

    fn afterwards(&self) -> Recipe {
        let paths = self.state.provider.paths();
        let token = [double("token=$TOKEN")];
        let mut steps = vec![self.name(), step("Copy a token:", &prompt("Token", "TOKEN"))];
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

    /// Sets what the other steps use.
    fn name(&self) -> Step {
        let mut code = format!("CLIENT_ID={}", single(self.client.id.as_str()));
        let _ = match (self.client.is_public(), self.secret) {
            (true, _) => return step("Name the client:", &code),
            (false, Some(secret)) => write!(code, "\nCLIENT_SECRET={}", single(secret)),
            (false, None) => write!(code, "\n{}", prompt("Client secret", "CLIENT_SECRET")),
        };
        step("Name the client and its secret:", &code)
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

    /// A request to an endpoint, with the client's credentials where it keeps them.
    fn curl(&self, path: &str, fields: &[String]) -> String {
        let url = single(&self.state.config.issuer().join(path));
        let (user, own): (_, &[&str]) = match &self.client.auth {
            ClientAuth::Secret(SecretMethod::Post, _) => {
                ("", &["client_id=$CLIENT_ID", "client_secret=$CLIENT_SECRET"])
            }
            ClientAuth::Secret(..) => ("-u \"$CLIENT_ID:$CLIENT_SECRET\" ", &[]),
            _ => ("", &["client_id=$CLIENT_ID"]),
        };
        let mut command = format!("curl -sS {user}{url}");
        for field in own.iter().map(|f| double(f)).chain(fields.iter().cloned()) {
            let _ = write!(command, " \\\n  --data-urlencode {field}");
        }
        command
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
