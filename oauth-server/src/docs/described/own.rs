//! Certificates, health, and the documents themselves.

use crate::docs::Op;

pub(super) fn describe() -> Vec<Op> {
    let mut all = vec![
        Op::new("GET", "/certs", "Keys", "Certificates with the public keys that sign tokens")
            .about("One PEM after the other, or a JSON list of them where JSON is accepted."),
        Op::new("GET", "/livez", "Health", "Whether the process answers").gives("text/plain"),
        Op::new("GET", "/healthz", "Health", "Whether the process answers").gives("text/plain"),
        Op::new("GET", "/readyz", "Health", "Whether the server can serve")
            .answer(200, "It can.")
            .answer(503, "It cannot; `failing` says what is missing."),
    ];
    for at in ["/doc", "/api/auth/documentation", "/api/usr/documentation"] {
        all.push(Op::page("GET", at, "Documentation", "This page").answer(308, "To `/` below."));
        all.push(Op::page("GET", format!("{at}/"), "Documentation", "This page"));
        let files = format!("{at}/{{file}}");
        all.push(Op::page("GET", files, "Documentation", "Scripts and styles of this page"));
    }
    for at in ["/openapi.json", "/api/auth/swagger.json", "/api/usr/swagger.json"] {
        all.push(Op::new("GET", at, "Documentation", "This document, in OpenAPI 3.1"));
    }
    all
}
