// A certified OpenID provider (oidc-provider) on loopback, as the tests want it. Its one argument is
// a JSON object: { port, clients, jwks, people, audience, lifetimes }. It says "ready" once it listens.

import Provider from "oidc-provider";

const { port, clients, jwks, people, audience, lifetimes } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

function account(name) {
  const known = people[name];
  return known && { accountId: name, claims: async () => ({ sub: name, ...known }) };
}

const provider = new Provider(issuer, {
  clients,
  jwks,
  findAccount: async (_, name) => account(name),
  claims: {
    openid: ["sub"],
    profile: ["name"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  // As Keycloak, Dex, Okta and Entra ID do: the claims are in the ID token, too.
  conformIdTokenClaims: false,
  scopes: ["openid", "profile", "email", "groups", "offline_access"],
  cookies: { keys: ["of the tests"] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_, client) => client.grantTypeAllowed("refresh_token"),
  ttl: { AccessToken: 600, IdToken: 600, ...lifetimes },
  extraTokenClaims: async (_, token) => ({ groups: people[token.accountId]?.groups }),
  features: {
    deviceFlow: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: "rollouts:read rollouts:promote",
        audience,
        accessTokenFormat: "jwt",
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
});
provider.on("server_error", (_, error) => console.error(error));
provider.listen(port, "127.0.0.1", () => console.log("ready"));
process.stdin.on("end", () => process.exit(0)).resume();
