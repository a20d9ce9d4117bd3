package report

func sarifText(d *Document) ([]byte, error) { return jsonText(d) }
func junitText(d *Document) ([]byte, error) { return jsonText(d) }
func htmlText(d *Document) ([]byte, error)  { return jsonText(d) }
