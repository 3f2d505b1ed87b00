// The least that fetches pages with undici: one connection, one page after the other, bodies read and thrown away.
// Plain JavaScript, because a TypeScript file would start later than what it is compared with.
import { Agent, request } from 'undici';

const [url, pages, token] = process.argv.slice(2);
const dispatcher = new Agent();
const headers = { accept: 'application/json', authorization: `Zoho-oauthtoken ${token}` };
let bytes = 0;
for (let page = 1; page <= Number(pages); page += 1) {
  const { statusCode, body } = await request(url, { dispatcher, headers, query: { page } });
  if (statusCode !== 200) throw new Error(`page ${page}: status ${statusCode}`);
  for await (const chunk of body) bytes += chunk.length;
}
await dispatcher.close();
process.stdout.write(`${bytes}\n`);
