// A client made of oauth4webapi and jose. It prints what the browser has to visit,
// one address a line, and reads where that ended.
import assert from "node:assert/strict";
import { createInterface } from "node:readline/promises";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";

const { ISSUER, CALLBACK, STATS_CALLBACK, STATS_SECRET, NAME, PASSWORD, USER } = process.env;
const issuer = new URL(ISSUER);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function browse(address) {
  console.log(`VISIT ${address}`);
  return new URL((await lines.next()).value);
}

const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const plain = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2" }));
for (const name of ["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint"]) {
  assert.equal(plain[name], as[name], name);
}
assert.deepEqual(as.code_challenge_methods_supported, ["S256"]);
assert.equal(as.authorization_response_iss_parameter_supported, true);
const keys = createRemoteJWKSet(new URL(as.jwks_uri));
const algorithms = as.id_token_signing_alg_values_supported;
const accessToken = (token) => jwtVerify(token, keys, { issuer: ISSUER, audience: ISSUER, typ: "at+jwt", algorithms });

// codeFlow has a user log in and returns the tokens, checked by the library.
async function codeFlow(client, authenticate, callback, scope) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const address = new URL(as.authorization_endpoint);
  address.search = new URLSearchParams({
    response_type: "code", client_id: client.client_id, redirect_uri: callback, scope, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const answer = oauth.validateAuthResponse(as, client, await browse(address), state);
  const exchange = () => oauth.authorizationCodeGrantRequest(as, client, authenticate, answer, callback, verifier);
  const response = await exchange();
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, response); // Of the ID token, by the published keys.
  return { tokens, exchange };
}

async function refused(what, code) {
  await assert.rejects(what, (e) => e instanceof oauth.ResponseBodyError && e.error === code);
}

const web = { client_id: "web" };
const none = oauth.None();

{ // Code and PKCE, for a program without a secret.
  const { tokens, exchange } = await codeFlow(web, none, CALLBACK, "openid profile items");
  assert.equal(tokens.token_type, "bearer");
  assert.equal(oauth.getValidatedIdTokenClaims(tokens).sub, USER);
  const { payload } = await accessToken(tokens.access_token);
  assert.deepEqual([payload.sub, payload.client_id, payload.scope], [USER, "web", "items openid profile"]);
  await jwtVerify(tokens.id_token, keys, { issuer: ISSUER, audience: "web", typ: "JWT", algorithms });
  await assert.rejects(accessToken(tokens.id_token));
  await assert.rejects(jwtVerify(tokens.access_token, keys, { issuer: ISSUER, audience: "web", algorithms }));

  const info = await oauth.processUserInfoResponse(as, web, USER, await oauth.userInfoRequest(as, web, tokens.access_token));
  assert.equal(info.preferred_username, NAME);

  const next = await oauth.processRefreshTokenResponse(as, web, await oauth.refreshTokenGrantRequest(as, web, none, tokens.refresh_token));
  await accessToken(next.access_token);
  const items = await oauth.protectedResourceRequest(next.access_token, "GET", new URL("/items", ISSUER));
  assert.equal(items.status, 204);

  const again = oauth.processAuthorizationCodeResponse(as, web, await exchange());
  await refused(again, "invalid_grant");
  const after = oauth.refreshTokenGrantRequest(as, web, none, next.refresh_token);
  await refused(after.then((r) => oauth.processRefreshTokenResponse(as, web, r)), "invalid_grant");
}

const stats = { client_id: "stats" };
for (const authenticate of [oauth.ClientSecretBasic(STATS_SECRET), oauth.ClientSecretPost(STATS_SECRET)]) {
  const { tokens } = await codeFlow(stats, authenticate, STATS_CALLBACK, "openid items");
  const introspect = async () => oauth.processIntrospectionResponse(as, stats,
    await oauth.introspectionRequest(as, stats, authenticate, tokens.access_token));
  const found = await introspect();
  assert.deepEqual([found.active, found.sub, found.client_id], [true, USER, "stats"]);
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, stats, authenticate, tokens.refresh_token));
  assert.deepEqual(await introspect(), { active: false });
}
{
  const wrong = codeFlow(stats, oauth.ClientSecretBasic("wrong"), STATS_CALLBACK, "openid");
  await assert.rejects(wrong, (e) => e instanceof oauth.WWWAuthenticateChallengeError || e.error === "invalid_client");
}

{ // The application's own log-in by password, beside it.
  const own = { ...as, token_endpoint: `${ISSUER}/token` };
  const response = await oauth.genericTokenEndpointRequest(own, web, none, "password", { username: NAME, password: PASSWORD, scope: "items" });
  const tokens = await oauth.processGenericTokenEndpointResponse(own, web, response);
  assert.equal((await accessToken(tokens.access_token)).payload.scope, "items");
  const next = await oauth.processRefreshTokenResponse(own, web, await oauth.refreshTokenGrantRequest(own, web, none, tokens.refresh_token));
  await accessToken(next.access_token);
  const both = await oauth.processRefreshTokenResponse(as, web, await oauth.refreshTokenGrantRequest(as, web, none, next.refresh_token));
  await accessToken(both.access_token);
}
console.log("DONE");
process.exit(0);
