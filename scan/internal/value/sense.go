package value

import (
	"slices"
	"strings"
)

// Sense is what a value means to people, as its name tells.
type Sense string

// Any is the sense of a name that tells nothing.
const Any Sense = ""

// vocabulary says which words at the end of a name mean what. The first that fits wins,
// so the special ones stand before the general.
var vocabulary = [...]struct {
	sense Sense
	words string
}{
	{"email", "email|mail|e mail|email address"},
	{"password", "password|passwd|pwd|passphrase|pass|password confirmation|confirm password|repeat password|password2|password repeat"},
	{"firstname", "first name|firstname|given name|fname|forename"},
	{"lastname", "last name|lastname|surname|family name|lname"},
	{"username", "username|user name|login|handle|nickname|nick|screen name|userid"},
	{"country", "country|country code|nationality"},
	{"currency", "currency|currency code"},
	{"language", "language|lang|locale"},
	{"timezone", "timezone|time zone|tz"},
	{"postcode", "zip|zipcode|zip code|postcode|postal code|postal|pincode"},
	{"phone", "phone|mobile|telephone|tel|cell|phone number|mobile number|contact number|msisdn|fax"},
	{"card", "card number|cardnumber|credit card|card|pan|cc number"},
	{"cvc", "cvc|cvv|cvv2|security code"},
	{"expiry", "card expiry|expiry month year|exp date"},
	{"iban", "iban"},
	{"bic", "bic|swift"},
	{"isbn", "isbn"},
	{"uuid", "uuid|guid"},
	{"ip", "ip|ip address|ipaddress|ipv4"},
	{"host", "host|hostname|domain|domain name"},
	{"port", "port"},
	{"url", "url|uri|link|website|homepage|callback|webhook|endpoint|href|site|feed|return to|redirect|redirect to|image url|picture url|photo url|avatar url"},
	{"filename", "filename|file name"},
	{"birthday", "birthday|birth date|birthdate|date of birth|dob|born"},
	{"datetime", "datetime|timestamp|at|date time|starts|ends|scheduled|start time|end time|deadline|expires"},
	{"time", "time"},
	{"date", "date|day|since|until|from date|to date|on|start date|end date|due"},
	{"year", "year"},
	{"month", "month"},
	{"latitude", "latitude|lat"},
	{"longitude", "longitude|lng|lon|long"},
	{"price", "price|amount|cost|total|sum|fee|salary|budget|balance|credit|value|tax|discount|tip|bid|subtotal"},
	{"quantity", "quantity|qty|count|stock|units|seats|guests|pieces|number of items|inventory|capacity|copies|amount of items"},
	{"rating", "rating|stars|score|rank|grade"},
	{"age", "age"},
	{"percent", "percent|percentage|rate|ratio"},
	{"size", "size|limit|per page|page size|pagesize|take|top|first|max results"},
	{"page", "page|page number|offset|skip|start|from|index|page index|pageno"},
	{"color", "color|colour"},
	{"slug", "slug|permalink|alias"},
	{"city", "city|town"},
	{"street", "street|address|address line 1|line 1|address1|street address"},
	{"state", "state|province|region|county"},
	{"gender", "gender|sex"},
	{"company", "company|organization name|organisation name|employer"},
	{"otp", "otp|pin|one time password|verification code|otp code|mfa code|totp"},
	{"token", "token|api key|apikey|secret|access token|refresh token"},
	{"role", "role|roles|permission|permissions|scope|scopes|privilege|privileges|user type|account type|access level"},
	{"flag", "enabled|active|admin|public|private|verified|published|available|default|visible|completed|done|subscribe|agree|accept|terms|remember me|remember|superuser|staff|in stock|anonymous|featured|archived"},
	{"sort", "sort|sort by|order by|orderby|ordering|direction|sort order"},
	{"status", "status"},
	{"search", "q|query|search|keyword|keywords|filter|term|s"},
	{"mime", "mime|mime type|content type|media type"},
	{"file", "file|upload|image|photo|picture|avatar|attachment|document|logo|video|thumbnail"},
	{"html", "html"},
	{"xml", "xml"},
	{"number", "number|no|num"},
	{"title", "title|subject|headline|heading"},
	{"text", "description|text|content|body|comment|message|note|notes|bio|about|summary|details|detail|review|caption|feedback|reason|remarks|memo|abstract|instructions|answer|question|reply|data|payload"},
	{"name", "name|label|fullname|full name|display name"},
}

// SenseOf returns what a name means in the English of APIs, or Any.
func SenseOf(name string) Sense {
	words := Words(name)
	if len(words) == 0 {
		return Any
	}
	if slices.Contains([]string{"is", "has", "can", "should", "allow", "enable", "use"}, words[0]) && len(words) > 1 {
		return "flag"
	}
	text := " " + strings.Join(words, " ")
	best, length := Any, 0
	for _, entry := range vocabulary {
		for phrase := range strings.SplitSeq(entry.words, "|") {
			if len(phrase) > length && strings.HasSuffix(text, " "+phrase) {
				best, length = entry.sense, len(phrase)
			}
		}
	}
	if best == Any && len(words) == 1 {
		for _, entry := range vocabulary { // "useremail", "phonenumber"
			for phrase := range strings.SplitSeq(entry.words, "|") {
				if len(phrase) > 3 && len(phrase) > length && strings.HasSuffix(words[0], strings.ReplaceAll(phrase, " ", "")) {
					best, length = entry.sense, len(phrase)
				}
			}
		}
	}
	return best
}

// Privileged reports whether a name is of something that only others should decide: a
// role, a right, an owner, a state of an account. Requests that ought to be innocent
// leave it out where they can.
func Privileged(name string) bool {
	switch SenseOf(name) {
	case "role":
		return true
	}
	for _, w := range Words(name) {
		switch w {
		case "admin", "isadmin", "superuser", "staff", "owner", "permissions", "privileged", "verified", "approved", "credit", "balance", "role", "roles":
			return true
		}
	}
	return false
}
