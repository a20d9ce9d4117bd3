package main

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"
	"github.com/go-playground/validator/v10"

	"github.com/fastness/fastness/bench/work"
)

// NewGin is Gin in release mode without its logger, with its own binding and
// the validator behind it, taught the rules of the work. It trusts no proxy, as
// its documentation advises where there is none.
func NewGin(t Terms) (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	v, ok := binding.Validator.Engine().(*validator.Validate)
	if !ok {
		return nil, errors.New("gin: want go-playground/validator behind the binding")
	}
	v.SetTagName("validate")
	if err := teach(v); err != nil {
		return nil, err
	}
	router := gin.New()
	if err := router.SetTrustedProxies(nil); err != nil {
		return nil, err
	}
	router.GET("/items/:id", func(c *gin.Context) {
		id, err := strconv.ParseInt(c.Param("id"), 10, 64)
		if err != nil {
			c.JSON(http.StatusBadRequest, listed(err))
			return
		}
		c.JSON(http.StatusOK, work.Find(id, c.Query("q")))
	})
	place := func(c *gin.Context, seller string) {
		var o work.Order
		if err := c.ShouldBindJSON(&o); err != nil {
			c.JSON(http.StatusBadRequest, listed(err))
			return
		}
		c.JSON(http.StatusOK, work.PlaceFor(seller, &o))
	}
	router.POST("/orders", func(c *gin.Context) { place(c, "") })
	router.POST("/seller/orders", newGuard(t).gin, func(c *gin.Context) {
		place(c, c.MustGet("caller").(*caller).Subject)
	})
	return router, nil
}

// gin is the guard as middleware of Gin.
func (g *guard) gin(c *gin.Context) {
	caller, err := g.admit(c.ClientIP(), c.GetHeader("Authorization"))
	if err != nil {
		c.AbortWithStatusJSON(refusal(c.Writer.Header(), err), gin.H{"error": err.Error()})
		return
	}
	c.Set("caller", caller)
}
