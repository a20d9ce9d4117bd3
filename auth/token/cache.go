package token

import (
	"strings"
	"sync"

	"github.com/fastness/fastness/auth"
)

// entry is a token that was verified. All but user is fixed.
type entry struct {
	token      Token
	until      int64  // exp, in Unix seconds
	generation uint64 // of the keys, read before the key was
	user       auth.Memo
}

// shards is how many locks there are. Signatures are spread evenly over them.
const shards = 16

// cache remembers tokens that were verified, keyed by the whole token: with a
// part of it, or a short hash, somebody could look for a second token of the same
// key. It is bounded in two generations: when the young one is full it becomes the
// old one, and the old one is forgotten. Only tokens with a good signature get in,
// so nobody can flood it with rubbish.
type cache struct {
	shards [shards]shard
	size   int // of one generation of one shard
}

type shard struct {
	mu         sync.RWMutex
	young, old map[string]*entry
	_          [64]byte // keeps the locks on cache lines of their own
}

func newCache(size int) *cache {
	return &cache{size: max(1, size/shards)}
}

// shard returns the shard of a token, by the last characters of its signature.
// The very last of all has bits that are always zero.
func (c *cache) shard(text string) *shard {
	if len(text) < 3 {
		return &c.shards[0]
	}
	return &c.shards[(text[len(text)-2]^text[len(text)-3]>>1)%shards]
}

// find returns the entry of a token, or nil.
func (c *cache) find(text string) *entry {
	s := c.shard(text)
	s.mu.RLock()
	e := s.young[text]
	fromOld := false
	if e == nil && len(s.old) > 0 {
		e = s.old[text]
		fromOld = e != nil
	}
	s.mu.RUnlock()
	if fromOld {
		c.put(text, e) // What is used stays; once in a generation.
	}
	return e
}

// put remembers a token. The text is copied: it may be a part of something large.
func (c *cache) put(text string, e *entry) {
	text = strings.Clone(text)
	s := c.shard(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.young == nil || len(s.young) >= c.size {
		s.old, s.young = s.young, make(map[string]*entry, c.size/4)
	}
	s.young[text] = e
}

// empty forgets all tokens.
func (c *cache) empty() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.young, s.old = nil, nil
		s.mu.Unlock()
	}
}

// len returns how many tokens are remembered.
func (c *cache) len() (n int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += len(s.young) + len(s.old)
		s.mu.RUnlock()
	}
	return n
}
