package login

import "github.com/fastness/fastness/scan/wire"

func inputValue(ex *wire.Exchange, name string) string { return "" }

func (a *attempt) guards() []Credential { return nil }
