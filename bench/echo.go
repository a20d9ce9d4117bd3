package main

import (
	"net/http"
	"strconv"

	"github.com/go-playground/validator/v10"
	"github.com/labstack/echo/v4"

	"github.com/fastness/fastness/bench/work"
)

// NewEcho is Echo with its own binder and the validator in its validator slot.
func NewEcho() (http.Handler, error) {
	v, err := newValidator()
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.Validator = echoValidator{v}
	e.GET("/items/:id", func(c echo.Context) error {
		id, err := strconv.ParseInt(c.Param("id"), 10, 64)
		if err != nil {
			return c.JSON(http.StatusBadRequest, listed(err))
		}
		return c.JSON(http.StatusOK, work.Find(id, c.QueryParam("q")))
	})
	e.POST("/orders", func(c echo.Context) error {
		var o work.Order
		if err := c.Bind(&o); err != nil {
			return err
		}
		if err := c.Validate(&o); err != nil {
			return c.JSON(http.StatusUnprocessableEntity, listed(err))
		}
		return c.JSON(http.StatusOK, work.Place(&o))
	})
	return e, nil
}

type echoValidator struct{ validate *validator.Validate }

func (v echoValidator) Validate(value any) error { return v.validate.Struct(value) }
