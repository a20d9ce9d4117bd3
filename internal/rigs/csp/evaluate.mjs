// Reads [{"name", "policy"}] and writes [{"name", "findings": [{"severity",
// "directive", "value", "description"}]}]. The lower the severity, the worse.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(import.meta.url);
const { CspEvaluator } = require('csp_evaluator');
const { CspParser } = require('csp_evaluator/dist/parser.js');

const answers = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(answers.map(({ name, policy }) => ({
	name,
	findings: new CspEvaluator(new CspParser(policy).csp).evaluate().map(
		({ severity, directive, value, description }) => ({ severity, directive, value: value ?? '', description })),
}))));
