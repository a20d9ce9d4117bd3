package sanitize_test

import (
	"strings"
	"testing"

	"github.com/fastness/fastness/sanitize"
)

// TestNesting says what becomes of tags that are nested wrongly, to the letter.
func TestNesting(t *testing.T) {
	tags := append(strings.Fields("form button nobr rb label my-tag"), everything().Tags...)
	p := policy(t, sanitize.Config{Tags: tags, CleanContentTags: []string{"script", "style", "template"}, InsecureNoLinkRel: "shorter"})
	for in, want := range map[string]string{
		// What ends where the next begins.
		"<p>a<p>b": "<p>a</p><p>b</p>", "<p>a<div>b": "<p>a</p><div>b</div>", "<p>a<ul><li>b<li>c": "<p>a</p><ul><li>b</li><li>c</li></ul>", "<p>a<hr>b": "<p>a</p><hr>b",
		"<ul><li>a<ul><li>b</ul><li>c": "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "<li><div>a<li>b": "<li><div>a</div></li><li>b</li>", "<dl><dt>a<dd>b<dt>c": "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>",
		"<h1>a<h2>b": "<h1>a</h1><h2>b</h2>", "<h1>a</h2>b": "<h1>a</h1>b", "<ruby>a<rt>b<rp>c<rt>d</ruby>e": "<ruby>a<rt>b</rt><rp>c</rp><rt>d</rt></ruby>e", "<rt>a<rt>b": "<rt>a<rt>b</rt></rt>",
		"<ruby><rtc><rt>a<rb>b": "<ruby><rtc><rt>a</rt></rtc><rb>b</rb></ruby>",
		// What cannot stand in another of its kind.
		"<a>x<a>y": "<a>x</a><a>y</a>", "<a>x<b>y<a>z": "<a>x<b>y</b></a><b><a>z</a></b>", "<button>x<button>y": "<button>x</button><button>y</button>", "<nobr>x<nobr>y": "<nobr>x</nobr><nobr>y</nobr>",
		"<form>x<div><form>y</form>z</div></form>": "<form>x<div>y</div></form>z", "<p>a<button><p>b</button>c": "<p>a<button><p>b</p></button>c</p>",
		// Formatting that is nested wrongly.
		"<b><i>x</b>y</i>z": "<b><i>x</i></b><i>y</i>z", "<p><b>x<p>y</b>z": "<p><b>x</b></p><p><b>y</b>z</p>", "<b><p>x</b>y</p>z": "<b><p>xy</p></b>z", "<b><i>x</b></i>y": "<b><i>x</i></b>y",
		"<p><b><i><u><s><em><strong><tt><code><small>x</p>y": "<p><b><i><u><s><em><strong><tt><code><small>x</small></code></tt></strong></em></s></u></i></b></p>" +
			"<b><i><u><s><em><strong><tt><code>y</code></tt></strong></em></s></u></i></b>", // no more than eight
		"<b><table><tr><td></b>x</table>y": "<b><table><tbody><tr><td>x</td></tr></tbody></table>y</b>", "<span><div>x</span>y</div>z": "<span><div>xy</div></span>z", "<div><span>x</div>y": "<div><span>x</span></div>y",
		"<td>x": "x", "x</b>y</p></div></br></table>": "xy",
		// Tables.
		"<table>x": "<table><tbody><tr><td>x</td></tr></tbody></table>", "<table><td>x<td>y<tr><th>z": "<table><tbody><tr><td>x</td><td>y</td></tr><tr><th>z</th></tr></tbody></table>",
		"<table><caption>a<tr><td>b": "<table><caption>a</caption><tbody><tr><td>b</td></tr></tbody></table>", "<table><col>x": "<table><colgroup><col></colgroup><tbody><tr><td>x</td></tr></tbody></table>",
		"<table> <tr> <td>x": "<table> <tbody><tr> <td>x</td></tr></tbody></table>", "<table><table>x": "<table></table><table><tbody><tr><td>x</td></tr></tbody></table>",
		"<table><thead><tr><th>a<tbody><tr><td>b": "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>", "<table><tr><td><table><td>x</table>y": "<table><tbody><tr><td><table><tbody><tr><td>x</td></tr></tbody></table>y</td></tr></tbody></table>",
		"<p><b>x</p><table><td>y</table>z": "<p><b>x</b></p><table><tbody><tr><td>y</td></tr></tbody></table>z",
		"<table><tr><td><b>x</table>y":     "<table><tbody><tr><td><b>x</b></td></tr></tbody></table>y", "<b><p><table></p>x": "<b><p></p><table><tbody><tr><td>x</td></tr></tbody></table></b>",
		"<ul><li><table><tr><td></li>x": "<ul><li><table><tbody><tr><td>x</td></tr></tbody></table></li></ul>", "<p><table><tr><td><p>x": "<p></p><table><tbody><tr><td><p>x</p></td></tr></tbody></table>",
		// Elements that are removed: a block ends a paragraph all the same.
		"<p>a<blink>b": "<p>ab</p>", "<p>a<xmp>b</xmp>c": "<p>a</p>bc", "<p>a<listing>b": "<p>a</p>b", "<image src=x>": `<img src="x">`,
		"<noscript><b>x</b></noscript>": "<b>x</b>", "<textarea><b>x</textarea>y": "&lt;b&gt;xy", "<title>a&amp;b</title>": "a&amp;b", "<iframe><b>x</iframe>": "&lt;b&gt;x",
		"a<template>b<template>c</template>d</template>e": "ae", "a<template>b": "a", "<b>a<style>b</b></style>c": "<b>ac</b>", "a<script>b</script/>c": "ac",
		// Texts.
		"<pre>\n\nx</pre>": "<pre>\n\nx</pre>", "<pre>\nx</pre>": "<pre>x</pre>", "<pre>&#10;x</pre>": "<pre>x</pre>", "<pre><i></i>\nx": "<pre><i></i>\nx</pre>", "<pre></i>\nx": "<pre>\n\nx</pre>", "a&#13;b\rc\r\nd": "a&#13;b\nc\nd",
		"a\x00b<i title='\x00c'>": "ab<i title=\"\uFFFDc\"></i>", "a\xffb": "a\uFFFDb", "\u00a0&nbsp;<i title='&nbsp;'>": `&nbsp;&nbsp;<i title="&nbsp;"></i>`, "&lt;&amp;&gt;&quot;'": `&lt;&amp;&gt;"'`, "&notit; &not; &copy": "¬it; ¬ ©", "&#x110000;&#xd800;&#0;": "\uFFFD\uFFFD\uFFFD",
		"1 < 2 > 0 & x": "1 &lt; 2 &gt; 0 &amp; x", "<": "&lt;", "a<": "a&lt;", "a</": "a&lt;/", "<b": "", "<b title='x": "",
	} {
		if got := p.Clean(in); got != want {
			t.Errorf("%q became\n     %q\nwant %q", in, got, want)
		}
		check(t, p, in, func(string, string, string) bool { return true })
	}
}

// TestInvalidUTF8IsNotCompleted: half a character must not swallow the quote
// behind it, in whatever reads the output.
func TestInvalidUTF8IsNotCompleted(t *testing.T) {
	p := policy(t, sanitize.Config{})
	for _, in := range []string{"<b title='a\xe2'>x</b>", "<b>a\xf0</b>", "\xc2<b>x</b>", "<b title=\"\xed\xa0\x80\">x</b>", "a\xc0\xbcscript>"} {
		out := p.Clean(in)
		if strings.ToValidUTF8(out, "") != out || !strings.Contains(out, "\uFFFD") {
			t.Errorf("%q became %q", in, out)
		}
	}
}

// TestEndTagsOfWhatIsTooDeepEndNothingElse: the elements around it go on.
func TestEndTagsOfWhatIsTooDeepEndNothingElse(t *testing.T) {
	p := policy(t, sanitize.Config{MaxDepth: 8})
	in := strings.Repeat("<div>", 7) + "<b><b><b>x</b></b>y</b>z"
	want := strings.Repeat("<div>", 7) + "<b>xy</b>z" + strings.Repeat("</div>", 7)
	if got := p.Clean(in); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	again := "<p><b><i><u><s><em><strong><tt>x</tt></strong></em></s></u></i></b></p>"
	if got, want := p.Clean("<p><b><i><u><s><em><strong><tt>x<div><div><div>y"), again+"<div><div><div><b><i><u><s><em>y</em></s></u></i></b></div></div></div>"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	table := "<table><tbody><tr><td>x</td></tr></tbody></table>"
	for divs, want := range map[int]string{4: table, 5: "x"} {
		around := strings.Repeat("<div>", divs)
		if got, want := p.Clean(around+"<table>x"), around+want+strings.Repeat("</div>", divs); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
