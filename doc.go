// Package fastness is a web framework for HTTP APIs in which one typed function
// declares an operation: its route, its binding and validation, its place in
// the OpenAPI document, its dependencies and who may call it.
//
//	type readItem struct {
//		ID int     `path:"id" minimum:"1"`
//		Q  *string `query:"q" maxLength:"50"`
//		DB *Store  // filled by a provider
//	}
//
//	func read(ctx context.Context, in readItem) (Item, error) {
//		return in.DB.Item(ctx, in.ID)
//	}
//
//	func main() {
//		app := fastness.New(fastness.Config{Title: "Shop", Version: "1.0.0"})
//		fastness.ProvideValue(app, openStore())
//		fastness.Get(app, "/items/{id}", read, access.Public)
//		fastness.Main(app)
//	}
//
// # Inputs
//
// The fields of the input struct say where their values come from:
//
//	ID    int              `path:"id"`
//	Sort  string           `query:"sort" enum:"name,price" default:"name"`
//	Tags  []string         `query:"tag"`            // ?tag=a&tag=b
//	Agent string           `header:"User-Agent"`
//	Theme *string          `cookie:"theme"`
//	Name  string           `form:"name"`            // urlencoded or multipart
//	Photo fastness.File    `form:"photo"`
//	Item  NewItem          `body:"item"`            // one member of a JSON object
//	Body  NewItem                                   // the whole JSON body
//	Tx    *sql.Tx                                   // whatever has a provider
//	User  auth.User                                 // the verified caller; also *auth.User, auth.Tenant
//
// A field without a default that is no pointer, no [Opt] and no list is required;
// the tag required says otherwise. The rules and types are those of package
// schema, and the tags doc, example and deprecated are for readers of the
// document. The default of a list is separated by commas. Parameters that no
// field reads are ignored in the query, in headers and cookies, and refused in
// forms and JSON. A method Validate of the input struct is called when all of the
// request is read, before any provider runs.
//
// A [File] has the fields Name, Size, ContentType, Width and Height, and is read by
// its method Open. Its tags say which files are wanted:
//
//	Photo  fastness.File   `form:"photo" accept:"image/png,image/jpeg" maxLength:"5MiB" maxPixels:"24000000"`
//	Papers []fastness.File `form:"papers" accept:"application/pdf" minItems:"1" maxItems:"5"`
//
// accept lists media types of package mediatype. They are found in the content;
// what the client claims, and the extension of the name, may not differ. Length is
// in bytes (minLength, maxLength), and pixels are maxPixels, maxWidth, maxHeight.
//
// Whatever is wrong with a declaration is reported when the app starts, all of it
// at once.
//
// # Callers
//
// [App.Authenticate] says how callers prove who they are, by schemes of package
// auth, and an access rule says who may call: see packages auth/access and
// identity. Both come before a byte of the body is read. The tags visibleTo and
// writableBy keep members of bodies to some roles.
//
// # Answers
//
// What the function returns is the body. [Created], [Result], [NoContent],
// [Redirect] and [View] carry a status, headers or cookies besides.
//
// An error that is a *problem.Problem is shown to the caller. Any other error is
// an opaque 500 with a request id, and its text goes to the log. What a provider
// or a function of yours may refuse with is documented by the option
// Response[*problem.Problem](404, "no such item").
//
// # Defences
//
// Every request passes the list in chain.go. The zero [Config] has all of them
// on; whatever weakens one is a field called Insecure…, whose value is the
// reason, and [App.Audit] lists it.
package fastness
