package token

import (
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/probe"
)

// common are secrets that programs are delivered with, that guides and examples use, and
// words that people take when a field is to be filled.
const common = `secret secretkey secret_key secret-key secretKey SecretKey SECRET_KEY SECRET mysecret mysecretkey my_secret my-secret my_secret_key my-secret-key mySecretKey
supersecret super_secret super-secret supersecretkey super_secret_key super-secret-key SuperSecretKey topsecret top-secret top_secret verysecret very-secret very_secret
verysecretkey averysecretkey thisisasecret thisissecret this_is_a_secret this-is-a-secret thisisasecretkey thisismysecret thisismysecretkey notsosecret notasecret itsasecret
shhh shhhh shhhhh shhhhhh shh ssshhh hush jwt jwtsecret jwt_secret jwt-secret jwtSecret JWT_SECRET jwt_secret_key jwt-secret-key jwtSecretKey JWT_SECRET_KEY jwtkey jwt-key jwt_key
jwttoken jwt_token token tokensecret token_secret token-secret TOKEN_SECRET accesstoken access_token_secret ACCESS_TOKEN_SECRET refresh_token_secret authsecret auth_secret auth-secret
authkey sessionsecret session_secret session-secret cookiesecret appsecret app_secret app-secret APP_SECRET app_key appkey apisecret api_secret api-secret apikey api_key api-key
hmacsecret hmac-secret hmac_key hmackey signingkey signing_key signing-key signature signsecret key mykey my_key privatekey private_key private-key publickey masterkey master_key
master password Password password1 password12 password123 Password1 Password123 P@ssw0rd p@ssw0rd p@ssword passw0rd Passw0rd! pass pass123 pass1234 passphrase passwd pwd
changeme change_me change-me changeit change-this changethis change_this CHANGE_ME CHANGEME changemeplease please-change-me pleasechangeme replaceme replace-me default defaultsecret
default_secret default-secret default-secret-key defaultkey example examplesecret example_key example-secret sample sampleSecret demo demosecret demo-secret test testing tests testsecret
test_secret test-secret testkey test_key test-key test123 dev devsecret dev-secret dev_secret dev-secret-key dev_key devkey development development-secret development_secret local
localsecret localhost staging prod production production-secret prod-secret admin admin123 administrator root toor user guest qwerty qwerty123 qwertyuiop asdf asdfgh asdfasdf zxcvbn zxcvbnm
letmein welcome welcome1 iloveyou monkey dragon sunshine princess football baseball master123 shadow superman batman trustno1 hello hello123 helloworld hello-world hello_world hola
abc abc123 abcd abcdef abcdefg abcd1234 abcdefgh abcdefghijklmnopqrstuvwxyz aaaa aaaaaa xxx xxxx xxxxxx foo bar foobar baz foobarbaz lorem null none undefined nil empty true false string
random randomstring random_string randomkey somesecret some-secret some_secret some_secret_key somekey whatever anything nothing temp temporary tmp todo fixme insecure unsafe unsecure
not-secure not_secure insecure-secret-key cat dog keyboardcat keyboard hunter2 correcthorsebatterystaple opensesame sesame xyzzy swordfish magic secretword secretpassword secret-password
secret_password secretphrase secrettoken secret-token secret_token secret1 secret12 secret123 secret1234 secret12345 secret123456 secret! secret!! secret@123 Secret123 Secret123! secretsecret
secret-secret s3cr3t s3cret S3cr3t s3cr3tk3y sEcReT sekret geheim geheimnis passwort contraseña clave segredo senha azerty motdepasse 123 1234 12345 123456 1234567 12345678 123456789
1234567890 0123456789 12345678901234567890123456789012 00000000 11111111 000000 111111 123123 123321 654321 87654321 987654321 1q2w3e 1q2w3e4r 1qaz2wsx qazwsx gfhjkm q1w2e3r4
your-256-bit-secret your-384-bit-secret your-512-bit-secret your-secret your_secret yoursecret your-secret-key your_secret_key yoursecretkey yourSecretKey YOUR_SECRET_KEY your_jwt_secret
your-jwt-secret your_jwt_secret_key your-super-secret-key your-super-secret-jwt-key your-secret-key-here your_secret_key_here your-secret-key-change-in-production your-key your_key
a-string-secret-at-least-256-bits-long a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long AllYourBase jwt-secret-string super-secret-jwt-key super_secret_jwt_key
change-me-in-production change_this_in_production change-this-secret change-this-in-production secret-key-change-me my-32-character-ultra-secure-and-ultra-long-secret
my-super-secret my_super_secret my-super-secret-key my_super_secret_key mysupersecret mysupersecretkey mysupersecretpassword MySuperSecretKey my-jwt-secret my_jwt_secret myjwtsecret myJwtSecret
my_secret_jwt_key my-secret-token mytoken supersecretjwt supersecretjwtkey super-secret-token supersecrettoken ultra-secret ultrasecret somethingsecret something-secret something
secret-key-for-jwt secretkeyforjwt secret_for_jwt the-secret thesecret the_secret_key thekey a_secret asecret a-secret-key secret_key_here secret-goes-here secretgoeshere put-your-secret-here
insert-secret-here ThisIsASecretKey ThisIsMySecretKey ThisIsASecret this_is_a_secret_key this-is-my-secret this_is_my_secret thisismysupersecretkey thisshouldbesecret keepitsecret
keep-it-secret keepsecret dontsharethis donttellanyone do-not-share confidential private hidden secure securekey secure_key secure-key securesecret security verysecure verysecurekey
very-secure-key very_secure_key A-very-secret-key 09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7 404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970
9a4f2c8d3b7a1e6f45c8a0b3f267d8b1d4e6f3c8a9d2b5f8e3a9c8b5f6v8a3d9 5367566B59703373367639792F423F4528482B4D6251655468576D5A71347437 gpg ssh rsa hs256 HS256 sha256 express node nodejs flask
django-insecure django-insecure-secret laravel spring springboot rails react angular fastapi hapi koa nest nestjs NEVERSHARESECRETKEY NeverShareYourSecret`

// affixes are put around words of the name of an API.
var affixes = [...][2]string{
	{"", ""}, {"", "secret"}, {"", "-secret"}, {"", "_secret"}, {"", "secretkey"}, {"", "-secret-key"}, {"", "_secret_key"}, {"", "key"}, {"", "-key"}, {"", "_key"}, {"", "123"}, {"", "1234"},
	{"", "12345"}, {"", "1"}, {"", "!"}, {"", "123!"}, {"", "@123"}, {"", "2023"}, {"", "2024"}, {"", "2025"}, {"", "2026"}, {"", "-jwt"}, {"", "_jwt"}, {"", "jwt"}, {"", "-jwt-secret"}, {"", "_jwt_secret"}, {"", "jwtsecret"},
	{"", "token"}, {"", "-token"}, {"", "api"}, {"", "-api"}, {"", "_api"}, {"", "app"}, {"", "password"}, {"", "-dev"}, {"", "-super-secret"}, {"", "SecretKey"}, {"", "Secret"}, {"", "JwtSecret"},
	{"secret", ""}, {"secret-", ""}, {"secret_", ""}, {"my", ""}, {"my-", ""}, {"super-secret-", ""}, {"supersecret", ""}, {"jwt", ""}, {"jwt-", ""}, {"the", ""},
}

var (
	wordText   = regexp.MustCompile(`[A-Za-z]{3,24}|[A-Z]?[a-z]{2,24}`)
	secretName = regexp.MustCompile(`(?i)secret|jwt|hmac|sign(ing|ature)?[-_]?key|private[-_]?key|app[-_]?key|^key$|token[-_]?key|password|passwd|pwd`)
	// assigned matches what is given a value in texts that are no JSON: files of settings, code.
	assigned = regexp.MustCompile(`(?i)[\w.-]*(?:secret|jwt|hmac|key|passw|pwd)[\w.-]*["']?\s*[:=]\s*["']?([^\s"',;<>]{4,128})`)
)

// guesses yields what a secret may be, and where the guess is from: the likely ones first.
func guesses(t *probe.Target) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, text := range told(t) {
			if !yield(text, "which an answer gives away") {
				return
			}
		}
		for word := range strings.FieldsSeq(common) {
			if !yield(word, "which is in every list of secrets") {
				return
			}
		}
		for _, text := range []string{"your 256 bit secret", "my secret", "my secret key", "this is a secret", "super secret", "super secret key", "keyboard cat", "secret key", "change me", "top secret", ""} {
			if !yield(text, "which is in every list of secrets") {
				return
			}
		}
		for _, word := range names(t) {
			for _, a := range affixes {
				if !yield(a[0]+word+a[1], "which is made of the name of the API") {
					return
				}
			}
		}
		for word := range strings.FieldsSeq(common) {
			for _, end := range [...]string{"1", "12", "123", "1234", "12345", "!", "@123", "2024", "2025", "2026", "key", "_key", "-key"} {
				if !yield(word+end, "which is made of a word of every list of secrets") {
					return
				}
			}
		}
	}
}

// names returns the words of the title and of where the API is, in several spellings.
func names(t *probe.Target) (out []string) {
	var words []string
	for _, text := range append([]string{t.API.Title, t.API.Base}, t.API.Servers...) {
		words = append(words, wordText.FindAllString(text, 12)...)
		if joined := strings.Join(strings.Fields(text), ""); text == t.API.Title && len(joined) <= 40 {
			words = append(words, joined, strings.Join(strings.Fields(text), "-"), strings.Join(strings.Fields(text), "_"))
		}
	}
	for _, tagged := range t.API.Operations {
		words = append(words, tagged.Tags...)
		words = append(words, wordText.FindAllString(strings.Join(tagged.Segments(), " "), 8)...)
	}
	for _, w := range words {
		low := strings.ToLower(w)
		if low == "" || len(out) > 400 {
			continue
		}
		out = append(out, w, low, strings.ToUpper(low), strings.ToUpper(low[:1])+low[1:])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// told returns the values of answers that are called like a secret.
func told(t *probe.Target) (out []string) {
	for _, op := range t.API.Operations {
		for _, ex := range t.Seen(op) {
			if !ex.OK() {
				continue
			}
			for _, leaf := range probe.Leaves(ex) {
				if text := leaf.Text(); secretName.MatchString(leaf.Name()) && len(text) >= 3 && len(text) <= 256 {
					out = append(out, text)
				}
			}
			for _, m := range assigned.FindAllSubmatch(ex.Body[:min(len(ex.Body), 256<<10)], 50) {
				out = append(out, string(m[1]))
			}
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), 5000)]
}
