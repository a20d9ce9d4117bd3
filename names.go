package fastness

import (
	"fmt"

	"github.com/fastness/fastness/schema"
)

// Names returns the style by which members and parameters are called that have no
// names of their own: that of [Config].Names.
func (a *App) Names() schema.Style { return a.cfg.Names }

// checkNames says that there is no such style, once, and goes on with one that there
// is.
func (c *Config) checkNames() error {
	if c.Names >= schema.GoNames && c.Names <= schema.CamelCase {
		return nil
	}
	err := fmt.Errorf("config: Names is %d, want schema.GoNames, schema.SnakeCase or schema.CamelCase", c.Names)
	c.Names = schema.GoNames
	return err
}

// nameOf returns what a parameter is called whose tag names it not, or "" if there is
// no style to say it: a parameter called UnitPrice is none that anybody means.
func (a *App) nameOf(source, field string) string {
	switch {
	case a.cfg.Names == schema.GoNames:
		return ""
	case source == "header":
		return a.cfg.Names.Header(field)
	}
	return a.cfg.Names.Name(field)
}

// examples compiles the types of examples of requests, which are written as a client
// writes them.
func (a *App) examples() *schema.Types {
	return schema.NewTypes(schema.Config{Client: true, Names: a.cfg.Names})
}
