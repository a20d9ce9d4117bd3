package fastness

func (a *App) addWellKnown() []error { return nil }
