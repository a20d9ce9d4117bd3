// Package sanitize makes HTML that strangers wrote safe to show, and has types
// for fields that hold it.
//
// Whoever may write HTML into a page may run scripts in it as its reader. So
// text is escaped where it is put out, which package html/template does, and
// where users may write HTML, a field says so by its type:
//
//	type NewItem struct {
//		Name        sanitize.Text `json:"name" minLength:"1" maxLength:"120"` // no markup
//		Description sanitize.HTML `json:"description" maxLength:"10000"`      // cleaned while it is decoded
//	}
//
// A value of type [HTML] cannot be made without cleaning, so its method HTML
// gives a template.HTML that a page may show as it is. [HTMLWith] is the same
// for a policy of your own:
//
//	comments, err := sanitize.New(sanitize.Config{Tags: []string{"b", "i", "a", "p"}})
//	safe := comments.Clean(`<p onclick=evil()>Hi <b>there</b>`) // <p>Hi <b>there</b></p>
//
// The options of [Config] are those of nh3, and so are the elements and
// attributes that are allowed when it is empty; URLs are narrowed to http,
// https, mailto and tel. [NH3] has the wide list.
//
// # What comes out
//
// The input is split into tags and text as a browser does it. Tags and
// attributes that are allowed are written anew, each value in quotes, each
// text escaped; nothing of the input is copied. Elements whose content a
// browser reads by other rules (svg, math, script, style, template, noscript,
// title, select and their like) can never be allowed: those rules are what makes
// text of one parser a tag in the next. The elements are nested such that a
// browser has nothing to repair: it builds exactly the tree that was written.
// Where the input had to be repaired, the output is cleaned once more, and if
// that changes anything, all of it is shown as text.
//
// Work and output grow in proportion to the input, whatever it is. What is
// longer than MaxBytes is shown as text.
//
// # What it does not do
//
// Images and links may lead anywhere that Config allows: who reads a page then
// asks another host. A Content-Security-Policy limits that, and is the second
// line of defence behind this one. The cleaned text is for the body of an
// HTML page, where a div may stand: not for attributes, scripts or styles.
package sanitize
