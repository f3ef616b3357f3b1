// What Shopify's own validator says of the admin's markup. Reads pages as JSON ({name: html}) and
// writes {name: {valid, says}}. It checks the `s-*` elements and their attributes against Polaris.

process.env.OPT_OUT_INSTRUMENTATION = 'true';
const {validateComponentCodeblocksToolDef} = await import('@shopify/dev-mcp/tools');

const validator = validateComponentCodeblocksToolDef();
const parts = [];
for await (const part of process.stdin) parts.push(part);
const verdicts = {};
for (const [name, content] of Object.entries(JSON.parse(Buffer.concat(parts).toString()))) {
  const question = {api: 'polaris-app-home', code: [{content, artifactId: name, revision: 1}]};
  const answer = await validator.handler({...question, conversationId: crypto.randomUUID()}, {});
  const says = answer.content[0].text;
  verdicts[name] = {valid: says.includes('✅ VALID'), says};
}
process.stdout.write(JSON.stringify(verdicts));
