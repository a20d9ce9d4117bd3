package inventory

import "github.com/fastness/fastness/scan/finding"

// The entries of the catalogue.

func kindHidden() finding.Kind {
	return finding.Kind{
		ID: "IV-01", Title: "An operation that no document names answers everybody",
		Describe: "What is not in the inventory is not tested, not watched and not mended. Attackers find it with the same lists of names.",
		Severity: finding.Medium, OWASP: "API9:2023", CWE: 1059, ASVS: []string{"13.4.5", "8.3.1"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Remove it, or describe it and give it the same rules of access as its neighbours. Keep what is for the own network on another address.",
			Fastness: `fastness.Get(app, "/internal/users", list, access.Role("admin")) // every route is in the document and has a rule`,
			FastAPI:  `router = APIRouter(dependencies=[Depends(require_role("admin"))])  # and no include_in_schema=False`,
			Express:  "app.use('/internal', requireRole('admin'), internal); // or a second app on 127.0.0.1",
			Spring:   `http.authorizeHttpRequests(a -> a.requestMatchers("/internal/**").denyAll().anyRequest().authenticated());`,
		},
	}
}

func kindOldVersion() finding.Kind {
	return finding.Kind{
		ID: "IV-02", Title: "An old version of the API is alive and less guarded",
		Describe: "The current version was mended, and the one before still answers, as it was.",
		Severity: finding.High, OWASP: "API9:2023", CWE: 1059, ASVS: []string{"8.3.1", "15.2.3"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Turn old versions off on the day that was announced, and answer 410. Until then they get every mend that the current one gets.",
			Fastness: `v1 := app.Group("/v1", fastness.Retire(fastness.Retirement{Since: since, Sunset: end, Gone: true})) // says so in each answer, then 410`,
			FastAPI:  `app.include_router(v1, dependencies=[Depends(current_user)])  # or remove it`,
			Express:  "app.use('/v1', (req, res) => res.sendStatus(410));",
			Spring:   `http.authorizeHttpRequests(a -> a.requestMatchers("/v1/**").denyAll() …);`,
		},
	}
}

func kindLeftover() finding.Kind {
	return finding.Kind{
		ID: "IV-04", Title: "Files or pages for developers and operators are served",
		Describe: "Repositories, settings, backups, metrics and pages for debugging tell how the program works and which secrets it has.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 489, ASVS: []string{"13.4.1", "13.4.2", "13.4.5"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Serve only a folder that was made to be served; keep metrics and debugging on an address of the own network; turn them off in production. Replace every secret that was readable.",
			Fastness: "fastness.Static(app, \"/static\", files) // of an embed.FS; dot files and lists are never served",
			FastAPI:  `app = FastAPI(debug=False); app.mount("/static", StaticFiles(directory="public"))  # never the folder of the program`,
			Express:  "app.use(express.static('public', { dotfiles: 'deny' })); // metrics: a second app on 127.0.0.1",
			Spring:   "management.server.address=127.0.0.1\nmanagement.endpoints.web.exposure.include=health",
		},
	}
}

func kindCORS() finding.Kind {
	return finding.Kind{
		ID: "CO-01", Title: "Pages of any origin may read answers with credentials",
		Describe: "The answer repeats the origin of the request and allows credentials. Whatever page a user looks at reads their data in their name.",
		Severity: finding.Medium, OWASP: "API8:2023", CWE: 942, ASVS: []string{"3.4.2"},
		CVSS: "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:A/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N",
		Remedy: finding.Remedy{
			Text:     "Compare the whole origin with a list; allow neither null nor what a pattern without its ends allows.",
			Fastness: `fastness.Config{CORS: cors.Config{Origins: []string{"https://app.example.com"}}} // exact; the default is none`,
			FastAPI:  `app.add_middleware(CORSMiddleware, allow_origins=["https://app.example.com"], allow_credentials=True)`,
			Express:  "app.use(cors({ origin: ['https://app.example.com'], credentials: true }));",
			Spring:   `config.setAllowedOrigins(List.of("https://app.example.com")); // not allowedOriginPatterns("*")`,
		},
	}
}
