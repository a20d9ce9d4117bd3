package locale

// French returns the catalogue of French, in which 0 is singular, too.
func French() Catalogue {
	return Catalogue{
		Tag: "fr",
		Plural: func(n int) string {
			if n == 0 || n == 1 {
				return "one"
			}
			return "other"
		},
		Details: map[string]string{
			"validation":             "La requête n'est pas conforme à sa déclaration",
			"json_invalid":           "Le corps n'est pas du JSON valide",
			"unsupported_media_type": "Le corps est d'un type qui n'est pas accepté ici",
			"not_acceptable":         "La réponse n'existe dans aucun des formats demandés",
			"body_too_large":         "Le corps est trop volumineux",
			"too_complex":            "Le corps contient plus d'éléments qu'il n'est possible d'en conserver",
			"timeout":                "La requête a pris trop de temps",
		},
		Titles: map[int]string{
			400: "Requête incorrecte", 401: "Non authentifié", 403: "Interdit", 404: "Introuvable", 405: "Méthode non autorisée",
			406: "Format non disponible", 408: "Délai de la requête dépassé", 409: "Conflit", 410: "Supprimé",
			412: "Précondition non remplie", 413: "Contenu trop volumineux", 415: "Type de média non pris en charge", 416: "Plage non satisfaisable",
			421: "Requête mal dirigée", 422: "Contenu non traitable", 426: "Changement de protocole requis", 428: "Précondition requise",
			429: "Trop de requêtes", 431: "En-têtes trop volumineux", 500: "Erreur interne", 503: "Service indisponible", 507: "Espace insuffisant",
		},
		Sentences: map[string]string{
			"missing": "Le champ est obligatoire", "extra_forbidden": "Les données supplémentaires ne sont pas autorisées",
			"read_only": "Le champ est en lecture seule", "json_invalid": "Le JSON est illisible",
			"model_attributes_type": "Un objet est attendu",
			"string_type":           "Un texte est attendu",
			"string_too_short":      "Le texte doit avoir au moins {min_length} caractères", "string_too_short.one": "Le texte doit avoir au moins {min_length} caractère",
			"string_too_long": "Le texte doit avoir au plus {max_length} caractères", "string_too_long.one": "Le texte doit avoir au plus {max_length} caractère",
			"string_pattern_mismatch": "Le texte doit correspondre au motif '{pattern}'",
			"bytes_type":              "Des octets sont attendus", "bytes_invalid_encoding": "Les données doivent être du {encoding} valide",
			"bytes_too_short": "Les données doivent avoir au moins {min_length} octets", "bytes_too_short.one": "Les données doivent avoir au moins {min_length} octet",
			"bytes_too_long": "Les données doivent avoir au plus {max_length} octets", "bytes_too_long.one": "Les données doivent avoir au plus {max_length} octet",
			"enum": "La valeur attendue est {expected}", "literal_error": "La valeur attendue est {expected}",
			"int_type": "Un entier est attendu", "int_from_float": "Un entier est attendu, sans partie décimale",
			"int_parsing": "Un entier est attendu", "int_parsing_size": "L'entier est trop grand",
			"float_type": "Un nombre est attendu", "float_parsing": "Un nombre est attendu",
			"float_precision": "Le nombre a plus de chiffres qu'il n'est possible d'en conserver", "finite_number": "Un nombre fini est attendu",
			"decimal_parsing":    "Un nombre décimal est attendu",
			"decimal_max_digits": "Le nombre doit avoir au plus {max_digits} chiffres", "decimal_max_digits.one": "Le nombre doit avoir au plus {max_digits} chiffre",
			"decimal_max_places": "Le nombre doit avoir au plus {decimal_places} décimales", "decimal_max_places.one": "Le nombre doit avoir au plus {decimal_places} décimale",
			"bool_type": "Un booléen est attendu", "bool_parsing": "Un booléen est attendu",
			"greater_than": "La valeur doit être supérieure à {gt}", "greater_than_equal": "La valeur doit être supérieure ou égale à {ge}",
			"less_than": "La valeur doit être inférieure à {lt}", "less_than_equal": "La valeur doit être inférieure ou égale à {le}",
			"multiple_of": "La valeur doit être un multiple de {multiple_of}",
			"list_type":   "Une liste est attendue", "dict_type": "Un objet est attendu",
			"too_short": "Au moins {min_length} éléments sont attendus, et non {actual_length}", "too_short.one": "Au moins {min_length} élément est attendu, et non {actual_length}",
			"too_long": "Au plus {max_length} éléments sont autorisés, et non {actual_length}", "too_long.one": "Au plus {max_length} élément est autorisé, et non {actual_length}",
			"unique_items":      "Aucun élément ne doit être répété",
			"union_tag_invalid": "L'étiquette n'est aucune de celles attendues : {expected_tags}", "union_tag_not_found": "L'étiquette {discriminator} manque",
			"too_complex": "Il y a plus d'éléments qu'il n'est possible d'en conserver", "duplicate_parameter": "Le paramètre ne doit être donné qu'une fois",
			"datetime_type": "Une date avec heure est attendue", "time_delta_type": "Une durée est attendue",
			"none_forbidden": "La valeur ne doit pas être null", "none_required": "La valeur doit être null",
			"date_from_datetime_parsing": "Une date est attendue", "datetime_parsing": "Une date avec heure est attendue",
			"datetime_from_date_parsing": "Une date, avec ou sans heure, est attendue", "time_parsing": "Une heure est attendue",
			"time_delta_parsing": "Une durée est attendue", "timezone_aware": "Le fuseau horaire manque",
			"uuid_parsing": "Un UUID est attendu", "base64_decode": "Du base64 valide est attendu", "pattern_regex": "Une expression régulière est attendue",
			"ip_v4_address": "Une adresse IPv4 est attendue", "ip_v6_address": "Une adresse IPv6 est attendue",
			"ip_any_address": "Une adresse IP est attendue", "ip_any_network": "Un réseau IP est attendu",
			"url_parsing": "Une URL est attendue", "url_scheme": "Le schéma de l'URL doit être {expected_schemes}",
			"url_too_long": "L'URL doit avoir au plus {max_length} caractères",
		},
	}
}
