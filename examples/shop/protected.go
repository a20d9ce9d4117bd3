package main

import (
	"context"

	"github.com/fastness/fastness/auth"
)

// Message is a sentence.
type Message struct {
	Message string `json:"message" maxLength:"400"`
}

// protected greets those who prove who they are.
func protected(_ context.Context, in struct{ Caller auth.User }) (Message, error) {
	return Message{"Beware, " + in.Caller.Name + ". This is a protected route."}, nil
}

// protectedRoute greets administrators.
func protectedRoute(context.Context, struct{}) (Message, error) {
	return Message{"You have access to this protected route!"}, nil
}

// secure is for whoever has a CSRF token.
func secure(context.Context, struct{}) (Message, error) {
	return Message{"This endpoint is CSRF protected"}, nil
}
