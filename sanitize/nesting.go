package sanitize

import "slices"

// The nesting of elements. A browser moves, closes and adds elements where tags
// are not nested as the HTML Standard has it (section 13.2.6). What is written
// here is nested so that it has no reason to. Where the Standard would rearrange
// what has been parsed already, this ends elements instead: the Standard's way
// takes time and space that grow with the square of the input.

// place makes room for the start tag of e, and reports whether it can stand
// here.
func (c *cleaner) place(e *element) bool {
	if e.kind&tablePart != 0 {
		return c.placePart(e)
	}
	if c.inTable() {
		if e.name == "table" {
			c.repairTo(c.last("table"))
		} else {
			c.cell()
		}
	}
	c.endBefore(e)
	if e.name == "form" && c.last("form") >= 0 {
		c.repaired = true
		return false
	}
	if e.kind&(closesP|annotation) == 0 {
		c.reopen()
	}
	deepest := c.policy.maxDepth
	if e.name == "table" {
		deepest -= 3 // for the row and the cell that its content gets
		c.pending = c.pending[:0]
	}
	if len(c.stack) >= deepest && e.kind&void == 0 {
		c.repaired = true
		c.tooDeep++
		return false
	}
	return true
}

// endBefore ends what a browser would end before e.
func (c *cleaner) endBefore(e *element) {
	switch e.name {
	case "li":
		c.endItem("li", "li")
	case "dd", "dt":
		c.endItem("dd", "dt")
	case "a", "nobr":
		c.repairTo(c.inScope(e.name))
		for c.dropPending(e) { // Neither stands in another of its kind.
		}
	case "button":
		c.repairTo(c.inScope(e.name))
	}
	if e.kind&annotation != 0 && c.inScope("ruby") >= 0 {
		base := e.name == "rb" || e.name == "rtc"
		for len(c.stack) > 0 && c.top().kind&implied != 0 && (base || c.top().name != "rtc") {
			c.repairTo(len(c.stack) - 1)
		}
	}
	if e.kind&closesP != 0 {
		c.endParagraph()
	}
	for e.kind&heading != 0 && len(c.stack) > 0 && c.top().kind&heading != 0 {
		c.repairTo(len(c.stack) - 1)
	}
}

// endItem ends the item that is open in the innermost list, a or b.
func (c *cleaner) endItem(a, b string) {
	for i := len(c.stack) - 1; i >= 0; i-- {
		switch e := c.stack[i]; {
		case e.name == a || e.name == b:
			c.repairTo(i)
			return
		case e.kind&special != 0 && e.name != "address" && e.name != "div" && e.name != "p":
			return
		}
	}
}

func (c *cleaner) endParagraph() {
	for i := len(c.stack) - 1; i >= 0; i-- {
		switch e := c.stack[i]; {
		case e.name == "p":
			c.repairTo(i)
			return
		case e.kind&boundary != 0 || e.name == "button":
			return
		}
	}
}

// end handles an end tag.
func (c *cleaner) end(e *element) {
	if e.kind&(tablePart|structural) != 0 {
		for i := len(c.stack) - 1; i >= 0; i-- {
			if c.stack[i].name == e.name {
				c.closeTo(i)
				return
			}
			if c.stack[i].name == "table" {
				return
			}
		}
		return
	}
	if e.kind&formatting != 0 && c.dropPending(e) {
		return
	}
	for i := len(c.stack) - 1; i >= 0; i-- {
		switch at := &c.stack[i]; {
		case at.element == e || e.kind&heading != 0 && at.kind&heading != 0:
			c.endAt(i)
			return
		case at.kind&boundary != 0,
			e.name == "p" && at.name == "button",
			e.name == "li" && (at.name == "ul" || at.name == "ol"):
			return
		}
	}
}

// endAt ends the element at i. If it holds text together (b, span) and a block
// inside of it is still open, it ends after that.
func (c *cleaner) endAt(i int) {
	block := slices.ContainsFunc(c.stack[i+1:], func(o open) bool { return o.kind&special != 0 })
	if block && c.stack[i].kind&(special|closesP) == 0 {
		c.stack[i].ended = true
		c.repaired = true
		return
	}
	c.closeTo(i)
}

// repairTo ends the element at i, and those inside of it, although no tag says
// so. Less than 0 is none.
func (c *cleaner) repairTo(i int) {
	if i < 0 {
		return
	}
	c.repaired = true
	c.keep(c.stack[i])
	c.closeTo(i)
}

// closeTo writes the end tags of the element at i and of those inside of it.
func (c *cleaner) closeTo(i int) {
	if i < 0 || i >= len(c.stack) {
		return
	}
	if len(c.stack)-i > 1 {
		c.repaired = true
	}
	cell := false
	for _, inner := range c.stack[i+1:] {
		c.keep(inner)
		cell = cell || inner.kind&boundary != 0
	}
	if cell || c.stack[i].kind&boundary != 0 {
		c.pending = c.pending[:0]
	}
	for len(c.stack) > i || len(c.stack) > 0 && c.top().ended {
		c.out = append(append(append(c.out, "</"...), c.top().name...), '>')
		c.stack = c.stack[:len(c.stack)-1]
	}
}

// maxPending is how many formatting elements are opened again.
const maxPending = 8

func (c *cleaner) keep(o open) {
	if o.kind&formatting != 0 && !o.ended && len(c.pending) < maxPending {
		c.pending = append(c.pending, o)
	}
}

// dropPending forgets the last formatting element that was to be opened again as
// e, and reports whether there was one.
func (c *cleaner) dropPending(e *element) bool {
	for i := len(c.pending) - 1; i >= 0; i-- {
		if c.pending[i].element == e {
			c.pending = slices.Delete(c.pending, i, i+1)
			c.repaired = true
			return true
		}
	}
	return false
}

// reopen opens the formatting elements again that ended too early.
func (c *cleaner) reopen() {
	for _, o := range c.pending {
		if c.spare -= o.to - o.from; c.spare < 0 || len(c.stack) >= c.policy.maxDepth {
			break
		}
		from := len(c.out)
		c.out = append(c.out, c.out[o.from:o.to]...)
		c.stack = append(c.stack, open{element: o.element, from: from, to: len(c.out)})
		c.repaired = true
	}
	c.pending = c.pending[:0]
}

// inTable reports whether the next tag is directly in a table or a row of it.
func (c *cleaner) inTable() bool {
	return len(c.stack) > 0 && c.top().kind&structural != 0
}

func (c *cleaner) top() *open { return &c.stack[len(c.stack)-1] }

// last returns the index of the innermost open element of that name, or -1.
func (c *cleaner) last(name string) int {
	for i := len(c.stack) - 1; i >= 0; i-- {
		if c.stack[i].name == name {
			return i
		}
	}
	return -1
}

// inScope is last, and does not look outside of a table's cell.
func (c *cleaner) inScope(name string) int {
	for i := len(c.stack) - 1; i >= 0 && c.stack[i].kind&boundary == 0; i-- {
		if c.stack[i].name == name {
			return i
		}
	}
	return -1
}

// placePart makes room for a part of a table. Outside of tables there are none.
func (c *cleaner) placePart(e *element) bool {
	for i := len(c.stack) - 1; ; i-- {
		if i < 0 {
			return false
		}
		if k := c.stack[i].kind; k&structural != 0 {
			break
		} else if k&boundary != 0 { // a cell or a caption
			c.repairTo(i)
			break
		}
	}
	switch e.name {
	case "td", "th":
		c.row()
	case "tr":
		c.section()
	case "col":
		if c.top().name != "colgroup" {
			c.upToTable()
			c.imply("colgroup")
		}
	default: // caption, colgroup, tbody, thead, tfoot
		c.upToTable()
	}
	return true
}

// cell opens a cell for what cannot stand directly in a table.
func (c *cleaner) cell() {
	c.row()
	c.imply("td")
}

// row makes a tr the innermost element.
func (c *cleaner) row() {
	if c.top().name != "tr" {
		c.section()
		c.imply("tr")
	}
}

// section makes a tbody, thead or tfoot the innermost element.
func (c *cleaner) section() {
	switch c.top().name {
	case "tr":
		c.repairTo(len(c.stack) - 1)
	case "colgroup", "table":
		c.upToTable()
		c.imply("tbody")
	}
}

// upToTable makes the table the innermost element.
func (c *cleaner) upToTable() {
	if i := c.last("table") + 1; i < len(c.stack) {
		c.repairTo(i)
	}
}

// imply opens an element that a browser would add.
func (c *cleaner) imply(name string) {
	c.repaired = true
	c.open(c.policy.elements[name], nil)
}
