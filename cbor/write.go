package cbor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// FromJSON returns the CBOR of data, which an app has made: a document that is valid,
// and whose objects have each name once.
//
// Numbers without a fraction are integers. Others are floating-point numbers if the
// shortest decimal of one is the number itself, and decimal fractions if not: no digit
// is lost.
func (f *Format) FromJSON(data []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("cbor: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("cbor: there is more than one value")
	}
	value, err := withNumbers(value)
	if err != nil {
		return nil, err
	}
	return f.write.Marshal(value)
}

// withNumbers returns v with numbers of CBOR.
func withNumbers(v any) (_ any, err error) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			if v[i], err = withNumbers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name := range v {
			if v[name], err = withNumbers(v[name]); err != nil {
				return nil, err
			}
		}
	case json.Number:
		return number(string(v))
	}
	return v, nil
}

// number returns the number that text spells.
func number(text string) (any, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n, nil
	}
	digits, exponent, err := exactly(text)
	if err != nil {
		return nil, err
	}
	if !strings.ContainsAny(text, ".eE") {
		return integer(text)
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		shortest, e, err := exactly(strconv.FormatFloat(v, 'e', -1, 64))
		if err == nil && shortest == digits && e == exponent {
			return v, nil
		}
	}
	if exponent < -maxExponent || exponent > maxExponent {
		return nil, errors.New("cbor: the exponent of a number is too large")
	}
	mantissa, err := integer(digits)
	if err != nil {
		return nil, err
	}
	return cbor.Tag{Number: tagDecimal, Content: []any{exponent, mantissa}}, nil
}

// integer returns the integer that digits spell. One that fits is not written as a big
// one.
func integer(digits string) (any, error) {
	v, ok := new(big.Int).SetString(digits, 10)
	if !ok || v.BitLen() > 8*maxBig {
		return nil, errors.New("cbor: a number has too many digits")
	}
	if v.IsInt64() {
		return v.Int64(), nil
	}
	return *v, nil
}

// exactly returns the digits of a number, with its sign and without zeros at either
// end, and the power of ten that they are multiplied with.
func exactly(text string) (digits string, exponent int64, err error) {
	mantissa := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		if exponent, err = strconv.ParseInt(text[i+1:], 10, 32); err != nil {
			return "", 0, errors.New("cbor: the exponent of a number is too large")
		}
	}
	mantissa, minus := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent -= int64(len(fraction))
	short := strings.TrimRight(digits, "0")
	exponent += int64(len(digits) - len(short))
	switch {
	case short == "":
		return "0", 0, nil
	case len(short) > 400:
		return "", 0, errors.New("cbor: a number has too many digits")
	case minus:
		short = "-" + short
	}
	return short, exponent, nil
}
