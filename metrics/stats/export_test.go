package stats

// Judge is the part of Compare behind the sums of squares: a difference, the
// variance of its query part and of its seed part, what the second holds of the
// first. It returns half the 95 % interval and p.
func Judge(difference float64, queries, seeds Variance, inside float64) (half, p float64) {
	m := spread{queries: queries, seeds: seeds, inside: inside}.nodes()
	p, _ = m.tail(difference)
	return m.quantile(0.05), p
}

// ShareVariance is the rule that Compare takes the seeds' variance by.
var ShareVariance = shareVariance
