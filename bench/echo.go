package main

import (
	"net/http"
	"strconv"

	"github.com/go-playground/validator/v10"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"

	"github.com/fastness/fastness/bench/work"
)

// NewEcho is Echo with its own binder and limit, and the validator in its
// validator slot. Addresses are those of connections, as its documentation
// advises where there is no proxy.
func NewEcho(t Terms) (http.Handler, error) {
	v, err := newValidator()
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.Validator = echoValidator{v}
	e.IPExtractor = echo.ExtractIPDirect()
	e.GET("/items/:id", func(c echo.Context) error {
		id, err := strconv.ParseInt(c.Param("id"), 10, 64)
		if err != nil {
			return c.JSON(http.StatusBadRequest, listed(err))
		}
		return c.JSON(http.StatusOK, work.Find(id, c.QueryParam("q")))
	})
	place := func(c echo.Context, seller string) error {
		var o work.Order
		if err := c.Bind(&o); err != nil {
			return err
		}
		if err := c.Validate(&o); err != nil {
			return c.JSON(http.StatusUnprocessableEntity, listed(err))
		}
		return c.JSON(http.StatusOK, work.PlaceFor(seller, &o))
	}
	limit := middleware.RateLimiter(middleware.NewRateLimiterMemoryStoreWithConfig(
		middleware.RateLimiterMemoryStoreConfig{Rate: rate.Limit(t.Limit) / 60, Burst: t.Limit}))
	e.POST("/orders", func(c echo.Context) error { return place(c, "") })
	e.POST("/seller/orders", func(c echo.Context) error {
		return place(c, c.Get("caller").(*caller).Subject)
	}, limit, newGuard(t).echo)
	return e, nil
}

type echoValidator struct{ validate *validator.Validate }

func (v echoValidator) Validate(value any) error { return v.validate.Struct(value) }

// echo is the guard as middleware of Echo, which has a limit of its own.
func (g *guard) echo(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		caller, err := g.bearer(c.Request().Header.Get(echo.HeaderAuthorization))
		if err != nil {
			return echo.NewHTTPError(refusal(c.Response().Header(), err))
		}
		c.Set("caller", caller)
		return next(c)
	}
}
