package report

func writeHTML(d *Document) ([]byte, error) { return jsonText(d) }
