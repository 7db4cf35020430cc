// A real OpenID Connect provider (the package oidc-provider) on a port of its own, with a client for logging in on another
// device. Its keys are those of `keys.json` beside it, made when missing; the last one signs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, permissions, keysFile, kid] = process.argv.slice(2);
const resource = 'https://skrei.test';
const keys = existsSync(keysFile) ? JSON.parse(readFileSync(keysFile)) : [];
if (!keys.some((key) => key.kid === kid)) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  keys.push({ ...privateKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' });
  writeFileSync(keysFile, JSON.stringify(keys));
}
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'skrei-cli',
    token_endpoint_auth_method: 'none',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
    response_types: [],
    redirect_uris: [],
    application_type: 'native',
  }],
  jwks: { keys: keys.filter((key) => key.kid === kid) },
  cookies: { keys: ['only for this test'] },
  features: {
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'openid', audience: resource, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  extraTokenClaims: () => ({ permissions: permissions.split(' ') }),
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
