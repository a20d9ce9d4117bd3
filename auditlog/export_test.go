package auditlog

// EncodeDetails is how details are stored.
var EncodeDetails = encodeDetails
