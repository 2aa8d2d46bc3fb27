// openid-client drives every flow of the provider that it knows; the rest is verified by hand with jose.

import * as jose from "jose";
import * as client from "openid-client";
import { AUTHENTICATION, BASE, CALLBACK, dynamically, first, firstPublic, flow, importKey, issuer, statically, userinfo } from "./lib/openid.mjs";
import { Party } from "./lib/party.mjs";
import { Person } from "./lib/person.mjs";
import { rotateKeys } from "./lib/provider.mjs";
import { PATIENCE, Report, failure, must, same } from "./lib/report.mjs";
import { KEYS, idToken, keyPair, random } from "./lib/tokens.mjs";

const { ISSUER, PARTY } = process.env;
const report = new Report("openid-client");
const party = await Party.start(PARTY, { certificate: process.env.PARTY_CERTIFICATE, key: process.env.PARTY_KEY });

const ada = new Person(ISSUER);
const PROFILE = [
  "birthdate", "family_name", "gender", "given_name", "locale", "middle_name", "name", "nickname", "picture",
  "preferred_username", "profile", "sub", "updated_at", "website", "zoneinfo",
];
const METHODS = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"];

for (const method of METHODS) {
  for (const mode of ["query", "form_post"]) {
    await report.check(`static ${method}, code by ${mode}`, async () => {
      const config = await statically(method);
      const { answer, tokens } = await flow(config, ada, { parameters: { response_mode: mode, scope: "openid profile" } });
      same(answer.how, mode, "the mode of the answer");
      const claims = await userinfo(config, tokens);
      same(Object.keys(claims).sort(), PROFILE, "all claims of profile");
    });
  }
}

await report.check("a wrong secret, and the key of another client", async () => {
  const wrong = await client.discovery(issuer, "secret-basic-1", {}, client.ClientSecretBasic("wrong"));
  const refused = async (promise, what) => {
    const e = await failure(promise, what);
    // The library shows the challenge before the body.
    must(e instanceof client.WWWAuthenticateChallengeError, "the answer is a challenge", e);
    same([e.status, e.cause.map((c) => c.scheme), (await e.response.json()).error], [401, ["basic"], "invalid_client"], what);
  };
  await refused(flow(wrong, ada), "a wrong secret");
  const other = await client.discovery(issuer, "private-key-jwt-2", {}, client.PrivateKeyJwt(first));
  await refused(flow(other, ada, { redirect: `${CALLBACK}?dummy1=lorem&dummy2=ipsum` }), "a wrong key");
});

await report.check("code id_token by the library, in all modes", async () => {
  for (const mode of ["fragment", "form_post"]) {
    const config = await statically("client_secret_basic");
    client.useCodeIdTokenResponseType(config);
    const { answer, tokens } = await flow(config, ada, { parameters: { response_mode: mode } });
    same(answer.how, mode, "the mode of the answer");
    await userinfo(config, tokens);
  }
});

await report.check("id_token by the library, in all modes", async () => {
  for (const mode of ["fragment", "form_post"]) {
    const config = await statically("client_secret_basic");
    client.useIdTokenResponseType(config);
    const parameters = { response_mode: mode, scope: "openid email" };
    const { answer, claims } = await flow(config, ada, { parameters, code: false });
    same(answer.how, mode, "the mode of the answer");
    same([claims.email, claims.email_verified], ["ada@example.org", true], "claims of the scope are in the only token");
  }
});

/** The response types that the library has no use for: its request and its code exchange, and checks by hand. */
for (const responseType of ["id_token token", "code token", "code id_token token", "token", "none"]) {
  for (const mode of ["fragment", "form_post"]) {
    await report.check(`${responseType} by ${mode}, by hand`, async () => {
      const config = await statically("client_secret_basic");
      const metadata = config.serverMetadata();
      const [state, nonce, verifier] = [random(), random(), client.randomPKCECodeVerifier()];
      const words = responseType.split(" ");
      const parameters = { redirect_uri: CALLBACK, scope: "openid email", state, nonce, response_type: responseType, response_mode: mode };
      if (words.includes("code")) {
        parameters.code_challenge = await client.calculatePKCECodeChallenge(verifier);
        parameters.code_challenge_method = "S256";
      }
      const answer = await ada.authorize(client.buildAuthorizationUrl(config, parameters));
      same([answer.how, answer.get("state"), answer.get("iss")], [mode, state, ISSUER], "mode, state, iss");
      for (const [name, word] of [["code", "code"], ["id_token", "id_token"], ["access_token", "token"]]) {
        same(answer.get(name) !== undefined, words.includes(word), `there is ${name}`);
      }
      const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri));
      const common = { keys, issuer: ISSUER, audience: "secret-basic-1", nonce };
      let sub = client.skipSubjectCheck;
      if (words.includes("id_token")) {
        const more = { code: answer.get("code"), accessToken: answer.get("access_token"), front: true };
        const claims = await idToken(answer.get("id_token"), { ...common, ...more });
        sub = claims.sub;
        same(claims.email, undefined, "claims of the scope are at the userinfo endpoint");
      }
      if (words.includes("token")) {
        same(answer.get("token_type"), "Bearer", "token_type");
        must(Number(answer.get("expires_in")) > 0, "expires_in", String(answer));
        const claims = await client.fetchUserInfo(config, answer.get("access_token"), sub);
        same(claims.email, "ada@example.org", "the e-mail address");
      }
      if (words.includes("code")) {
        const back = new URL(CALLBACK);
        for (const name of ["code", "state", "iss"]) back.searchParams.set(name, answer.get(name));
        const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
        const tokens = await client.authorizationCodeGrant(config, back, checks);
        await userinfo(config, tokens);
      }
    });
  }
}

await report.check("refresh with offline_access, and not without", async () => {
  const config = await statically("client_secret_post");
  const parameters = { scope: "openid offline_access", prompt: "consent" };
  const { tokens, claims } = await flow(config, ada, { parameters });
  must(tokens.refresh_token, "there is a refresh token");
  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  const again = next.claims();
  for (const name of ["iss", "sub", "aud", "azp", "auth_time"]) same(again?.[name], claims[name], name);
  must(next.refresh_token !== tokens.refresh_token, "it is another one");
  same((await userinfo(config, next)).sub, claims.sub, "the new token is good");
  const plain = await flow(config, ada);
  same(plain.tokens.refresh_token, undefined, "no refresh token without offline_access");
});

await report.check("the claims parameter", async () => {
  const config = await statically("client_secret_basic");
  const claims = JSON.stringify({
    userinfo: { email: { essential: true }, nickname: null },
    id_token: { auth_time: { essential: true }, given_name: null },
  });
  const found = await flow(config, ada, { parameters: { claims } });
  same(found.claims.given_name, "Ada", "given_name in the id token");
  must(Number.isInteger(found.claims.auth_time), "auth_time", found.claims);
  const { sub: _sub, ...others } = await userinfo(config, found.tokens);
  same(others, { email: "ada@example.org", nickname: "Ada" }, "what was asked for and nothing else");
});

await report.check("max_age, prompt=login and auth_time", async () => {
  const config = await statically("client_secret_basic");
  const person = new Person(ISSUER);
  const one = await flow(config, person, { parameters: { max_age: "10000" }, checks: { maxAge: 10000 } });
  const two = await flow(config, person, { parameters: { max_age: "10000" }, checks: { maxAge: 10000 } });
  same([person.logins(), two.claims.auth_time], [0, one.claims.auth_time], "the same sign-in");
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const three = await flow(config, person, { parameters: { prompt: "login" } });
  same(person.logins(), 1, "the form is shown");
  must((three.claims.auth_time ?? Infinity) > one.claims.auth_time, "auth_time moved", three.claims);
});

await report.check("prompt=none", async () => {
  const config = await statically("client_secret_basic");
  const stranger = failure(flow(config, new Person(ISSUER), { parameters: { prompt: "none" } }), "nobody is signed in");
  same((await stranger).error, "login_required", "the error");
  const { claims, tokens } = await flow(config, ada);
  const hint = { prompt: "none", id_token_hint: tokens.id_token };
  const silent = await flow(config, ada, { parameters: hint });
  same([silent.claims.sub, ada.seen.length], [claims.sub, 0], "silently the same");
});

await report.check("saying no", async () => {
  const config = await statically("client_secret_basic");
  const state = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK, scope: "openid", state, prompt: "consent",
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()), code_challenge_method: "S256",
  });
  const answer = await ada.authorize(url, { decision: "deny" });
  const e = await failure(client.authorizationCodeGrant(config, answer.forLibrary(), { expectedState: state }), "no");
  same(e.error, "access_denied", "the error");
});

for (const method of [...METHODS, "none"]) {
  await report.check(`dynamic ${method}, code, refresh, revocation`, async () => {
    const config = await dynamically(method, {
      grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], client_name: `Registered for ${method}`,
    });
    const parameters = { scope: "openid email offline_access", prompt: "consent" };
    const { tokens } = await flow(config, ada, { parameters });
    same((await userinfo(config, tokens)).email, "ada@example.org", "the e-mail address");
    const next = await client.refreshTokenGrant(config, tokens.refresh_token);
    await client.tokenRevocation(config, next.refresh_token);
    const e = await failure(client.refreshTokenGrant(config, next.refresh_token), "it is revoked");
    same(e.error, "invalid_grant", "the error");
  });
}

await report.check("dynamic: every response type is registered and used", async () => {
  const response_types = ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"];
  const config = await dynamically("client_secret_basic", { grant_types: ["authorization_code", "implicit"], response_types });
  const { client_id } = config.clientMetadata();
  for (const response_type of response_types) {
    const nonce = random();
    const url = client.buildAuthorizationUrl(config, { redirect_uri: CALLBACK, scope: "openid", nonce, state: "s", response_type });
    const answer = await ada.authorize(url);
    same(answer.get("error"), undefined, response_type);
    if (!response_type.includes("id_token")) continue;
    const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
    await idToken(answer.get("id_token"), {
      keys, issuer: ISSUER, audience: client_id, nonce, code: answer.get("code"), accessToken: answer.get("access_token"), front: true,
    });
  }
});

for (const [alg, enc, id] of [["RSA-OAEP-256", "A256GCM", "rsa"], ["ECDH-ES", "A128GCM", "ec"], ["ECDH-ES", "A256GCM", "ec2"]]) {
  await report.check(`dynamic: id token and userinfo encrypted with ${alg} and ${enc}`, async () => {
    const { privateKey, jwk } = await keyPair(alg, { kid: id, use: "enc", alg });
    const config = await dynamically("client_secret_basic", {
      jwks: { keys: [jwk] },
      id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: enc,
      userinfo_signed_response_alg: "RS256", userinfo_encrypted_response_alg: alg, userinfo_encrypted_response_enc: enc,
    });
    client.enableDecryptingResponses(config, [enc], { key: privateKey, alg, kid: id });
    const { tokens } = await flow(config, ada, { parameters: { scope: "openid email" } });
    same(tokens.id_token.split(".").length, 5, "the id token is encrypted");
    same((await userinfo(config, tokens)).email, "ada@example.org", "the e-mail address");
  });
}

for (const alg of ["RS256", "ES256", "PS256"]) {
  await report.check(`dynamic: id token and userinfo signed with ${alg}`, async () => {
    const config = await dynamically("client_secret_basic", { id_token_signed_response_alg: alg, userinfo_signed_response_alg: alg });
    const { tokens } = await flow(config, ada, { parameters: { scope: "openid email" } });
    same(jose.decodeProtectedHeader(tokens.id_token).alg, alg, "the algorithm");
    const claims = await userinfo(config, tokens);
    same([claims.iss, claims.aud], [ISSUER, config.clientMetadata().client_id], "iss and aud of the signed claims");
  });
}

await report.check("dynamic: request objects by value", async () => {
  const config = await dynamically("client_secret_basic", { jwks: { keys: [firstPublic] }, request_object_signing_alg: "ES256" });
  const url = (asked) => client.buildAuthorizationUrlWithJAR(config, asked, first);
  await flow(config, ada, { url });
  const bad = async (asked) => {
    const signed = await client.buildAuthorizationUrlWithJAR(config, asked, await importKey(KEYS.second));
    signed.searchParams.set("redirect_uri", CALLBACK);
    signed.searchParams.set("response_type", "code");
    signed.searchParams.set("scope", "openid");
    return signed;
  };
  const e = await failure(flow(config, ada, { url: bad, checks: { expectedState: client.skipStateCheck } }), "a foreign signature");
  must(e.error === "invalid_request_object" || e.message.includes("invalid_request_object"), "the error", e);
});

await report.check("dynamic: request objects by reference", async () => {
  const at = `/request-${random(6)}.jwt`;
  const request_uri = PARTY + at;
  const config = await dynamically("client_secret_basic", {
    jwks: { keys: [firstPublic] }, request_object_signing_alg: "ES256", request_uris: [request_uri],
  });
  const url = async (asked) => {
    const signed = await client.buildAuthorizationUrlWithJAR(config, asked, first);
    party.serve(at, signed.searchParams.get("request"), "application/oauth-authz-req+jwt");
    const { client_id } = config.clientMetadata();
    const { authorization_endpoint } = config.serverMetadata();
    return new URL(`${authorization_endpoint}?${new URLSearchParams({ client_id, request_uri, response_type: "code", scope: "openid" })}`);
  };
  await flow(config, ada, { url });
});

await report.check("dynamic: keys by jwks_uri, rotated by the client", async () => {
  const at = `/jwks-${random(6)}.json`;
  const [old, young] = [await keyPair("ES256", { kid: "old", alg: "ES256", use: "sig" }), await keyPair("ES256", { kid: "young", alg: "ES256", use: "sig" })];
  const jwks_uri = party.serve(at, { keys: [old.jwk] });
  let key = { key: old.privateKey, kid: "old" };
  AUTHENTICATION.jwks_uri = () => (as, c, body, headers) => client.PrivateKeyJwt(key)(as, c, body, headers);
  const before = AUTHENTICATION.private_key_jwt;
  AUTHENTICATION.private_key_jwt = AUTHENTICATION.jwks_uri;
  try {
    const config = await dynamically("private_key_jwt", { jwks_uri });
    await flow(config, ada);
    party.serve(at, { keys: [young.jwk] });
    key = { key: young.privateKey, kid: "young" };
    // The server does not fetch keys again and again for whoever makes up key ids: it waits for some seconds.
    for (let i = 0; ; i += 1) {
      try {
        await flow(config, ada);
        break;
      } catch (e) {
        if (i === PATIENCE) throw e;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  } finally {
    AUTHENTICATION.private_key_jwt = before;
  }
});

await report.check("dynamic: pairwise subjects", async () => {
  const pairwise = { subject_type: "pairwise" };
  const subject = async (metadata) => {
    const config = await dynamically("client_secret_basic", { ...pairwise, ...metadata });
    const [redirect] = config.clientMetadata().redirect_uris;
    return (await flow(config, ada, { redirect })).claims.sub;
  };
  // Addresses on this machine say nothing about whose a client is, so these are somewhere else.
  const [here, there] = [["https://client.example/cb"], ["https://other.example/cb"]];
  const one = await subject({ redirect_uris: here });
  same(await subject({ redirect_uris: here }), one, "the same sector, the same subject");
  must((await subject({ redirect_uris: there })) !== one, "another sector, another subject");
  const config = await statically("client_secret_basic");
  must((await flow(config, ada)).claims.sub !== one, "not the public subject");
  const sector_identifier_uri = party.serve("/sector.json", [...here, ...there]);
  const joined = await subject({ redirect_uris: here, sector_identifier_uri });
  same(await subject({ redirect_uris: there, sector_identifier_uri }), joined, "a sector by its document");
});

await report.check("logout by the client, told at the back", async () => {
  const back = `/backchannel-${random(6)}`;
  const post_logout = `${BASE}/post_logout_redirect`;
  party.serve(back, "", "text/plain");
  const config = await dynamically("client_secret_basic", {
    post_logout_redirect_uris: [post_logout], backchannel_logout_uri: PARTY + back, backchannel_logout_session_required: true,
  });
  const person = new Person(ISSUER);
  const { tokens, claims } = await flow(config, person);
  const state = client.randomState();
  const url = client.buildEndSessionUrl(config, { post_logout_redirect_uri: post_logout, id_token_hint: tokens.id_token, state });
  const answer = await person.logout(url);
  same(String(answer.url), `${post_logout}?state=${state}`, "back with the state and nothing else");
  const told = await party.hear(back);
  same([told.method, [...new URLSearchParams(told.text).keys()]], ["POST", ["logout_token"]], "a form with the logout token");
  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const options = { issuer: ISSUER, audience: config.clientMetadata().client_id, typ: "logout+jwt", algorithms: ["RS256"] };
  const { payload } = await jose.jwtVerify(new URLSearchParams(told.text).get("logout_token"), keys, options);
  same([payload.sid, payload.sub, payload.nonce], [claims.sid, claims.sub, undefined], "sid, sub, no nonce");
  same(payload.events, { "http://schemas.openid.net/event/backchannel-logout": {} }, "the event");
  must(payload.jti && payload.iat && payload.exp, "jti, iat, exp", payload);
  const after = await failure(flow(config, person, { parameters: { prompt: "none" } }), "signed out");
  same(after.error, "login_required", "the error");
});

await report.check("key rotation while serving", async () => {
  const config = await statically("client_secret_basic");
  const one = await flow(config, ada);
  const old = jose.decodeProtectedHeader(one.tokens.id_token).kid;
  await rotateKeys();
  const two = await flow(await statically("client_secret_basic"), ada);
  must(jose.decodeProtectedHeader(two.tokens.id_token).kid !== old, "another key signs");
  const set = await (await fetch(config.serverMetadata().jwks_uri)).json();
  const kids = set.keys.map((key) => key.kid);
  must(kids.includes(old) && new Set(kids).size === kids.length, "both keys are published", kids);
  const keys = jose.createLocalJWKSet(set);
  for (const { tokens, nonce } of [one, two]) {
    await idToken(tokens.id_token, { keys, issuer: ISSUER, audience: "secret-basic-1", nonce });
    await userinfo(config, tokens);
  }
  // A library that has fetched the keys before the rotation fetches them again by itself.
  await flow(config, ada);
});

party.stop();
report.end();
