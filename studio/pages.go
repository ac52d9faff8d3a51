package studio

// register is the list of all pages.
func (s *Server) register() {
	s.page("GET /{$}", s.decisions)
	s.page("GET /draft/{id}", s.draft)
	s.page("POST /draft/{id}", s.write)
	s.page("GET /file/{name}", s.file)
	s.page("GET /static/{name}", s.static)
	s.page("GET /", s.missing)
	s.page("POST /", s.missing)
}
