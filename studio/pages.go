package studio

// register is the list of all pages.
func (s *Server) register() {
	s.page("GET /{$}", s.decisions)
	s.page("GET /draft/{id}", s.draft)
	s.page("POST /draft/{id}", s.write)
	s.page("GET /file/{name}", s.file)
	s.page("GET /see/{id}", s.see)
	s.page("POST /see/{id}", s.seeWrite)
	s.page("POST /see/{id}/readings", s.seeReadings)
	s.page("GET /see/{id}/result", s.seeResult)
	s.page("GET /see/{id}/proposal", s.seeProposal)
	s.page("GET /see/{id}/progress", s.seeProgress)
	s.page("GET /new", s.newForm)
	s.page("POST /new", s.create)
	s.registerVote()
	s.page("GET /dpia", s.assessment)
	s.page("POST /dpia", s.answerAssessment)
	s.page("GET /dpia/{file}", s.assessmentFile)
	s.page("GET /consult", s.consultations)
	s.page("GET /consult/{id}", s.consultation)
	s.page("POST /consult/{id}", s.consultAnswers)
	s.page("GET /consult/{id}/pages/{file}", s.consultPage)
	s.page("GET /consult/{id}/pages.zip", s.consultFolder)
	s.page("GET /static/{name}", s.static)
	s.page("GET /", s.missing)
	s.page("POST /", s.missing)
}
