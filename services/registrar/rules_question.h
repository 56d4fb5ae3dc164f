/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BRSKI_SERVICES_REGISTRAR_RULES_QUESTION_H
#define BRSKI_SERVICES_REGISTRAR_RULES_QUESTION_H

/*
 * How another door puts a device to the rules of rlm_brski, by RADIUS: an Access-Request without
 * EAP-Message, with Message-Authenticator and these vendor's attributes, of RFC 5612's enterprise number as
 * the EAP method. Texts are UTF-8 or not, and never empty; what is not given is not sent. The answer is
 * an Access-Accept or an Access-Reject, with Message-Authenticator, and tells the decision; it never has
 * a key, nor anything of EAP. The same numbers as in dictionary.brski.
 */
#define BRSKI_RULES_VENDOR 32473

enum brski_rules_attribute {
	/* in the question */
	BRSKI_RULES_IDEVID = 1,       /* DER, in as many attributes as it needs, in their order */
	BRSKI_RULES_MANUFACTURER = 2, /* its name in the store */
	BRSKI_RULES_MODE = 3,         /* brski_mode_name() */
	BRSKI_RULES_WHY = 4,          /* why that mode lets the device in; as many as it needs */
	BRSKI_RULES_DOOR = 5,         /* "https" */
	/* in the answer */
	BRSKI_RULES_DECISION = 6,    /* "accept" with Access-Accept; "refuse" or "defer" with Access-Reject */
	BRSKI_RULES_REASON = 7,      /* in words, if there are any */
	BRSKI_RULES_RETRY_AFTER = 8, /* integer: seconds, with "defer", if the rules said so */
};

#endif
