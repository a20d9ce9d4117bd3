package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/filestore"
	"github.com/fastness/fastness/picture"
	"github.com/fastness/fastness/problem"
	"github.com/fastness/fastness/sqldb"
)

// Pictures keeps the pictures of items. What a seller sends is made anew: smaller, and
// without what the camera has told.
type Pictures struct {
	files *filestore.Store
	maker *picture.Maker
}

// openPictures provides the folder of pictures, in the data directory.
func openPictures(_ context.Context, in struct{ Settings fastness.Settings }) (*Pictures, func(error) error, error) {
	maker, err := picture.New(picture.Config{MaxSide: 1200})
	if err != nil {
		return nil, nil, err
	}
	files, err := filestore.Open(filepath.Join(in.Settings.DataDir, "pictures"), filestore.Config{MaxBytes: 8 << 20})
	if err != nil {
		return nil, nil, err
	}
	return &Pictures{files, maker}, func(error) error { return files.Close() }, nil
}

// save makes a picture anew and keeps it.
func (p *Pictures) save(ctx context.Context, upload fastness.File) (key filestore.Key, err error) {
	file, err := upload.Open()
	if err != nil {
		return key, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	made, err := p.maker.Make(ctx, file, upload.Size)
	if err != nil {
		return key, err
	}
	info, err := p.files.Save(ctx, bytes.NewReader(made.Data))
	return info.Key, err
}

// forget removes a file once no row has its key any more.
func (p *Pictures) forget(after *fastness.Background, old filestore.Key) {
	if !old.IsZero() {
		after.Add("remove a picture", func(context.Context) error { return p.files.Delete(old) })
	}
}

type setPictureInput struct {
	Item     LockedItem
	Pictures *Pictures
	Tx       *sqldb.Tx
	After    *fastness.Background
	Picture  fastness.File `form:"picture" accept:"image/png,image/jpeg,image/gif" minLength:"1" maxLength:"8MiB" maxPixels:"25000000" doc:"PNG, JPEG or GIF. The shop makes a smaller one of it."`
}

// replacePicture gives an item a picture, or another one.
func replacePicture(ctx context.Context, in setPictureInput) (fastness.NoContent, error) {
	return fastness.NoContent{}, in.replace(ctx)
}

// replace keeps the file first and commits its key then: a crash in between leaves a
// file that nobody refers to, which sweepPictures removes.
func (in *setPictureInput) replace(ctx context.Context) error {
	key, err := in.Pictures.save(ctx, in.Picture)
	if err != nil {
		return err
	}
	in.Pictures.forget(in.After, in.Item.Picture)
	return updatePicture(ctx, in.Tx, in.Item.ID, key)
}

// submitPictureInput takes any file: who sends what is no picture is to see the form
// again.
type submitPictureInput struct {
	Item     LockedItem
	Visitor  Visitor
	Pictures *Pictures
	Tx       *sqldb.Tx
	After    *fastness.Background
	Picture  fastness.File `form:"picture" maxLength:"8MiB"`
}

// submitPicture takes the form of an item's page and leads back to the page.
func submitPicture(ctx context.Context, in submitPictureInput) (fastness.View[ItemPage], error) {
	set := setPictureInput{in.Item, in.Pictures, in.Tx, in.After, in.Picture}
	err := set.replace(ctx)
	refused, ok := errors.AsType[*problem.Problem](err)
	if err != nil && (!ok || refused.Status != http.StatusUnprocessableEntity) {
		return fastness.View[ItemPage]{}, err
	}
	view, err := itemPage(ctx, in.Tx, in.Item.Item, in.Visitor, 0)
	if refused == nil {
		view.SeeOther = fmt.Sprintf("/items/%d/page", in.Item.ID)
		return view, err
	}
	view.Status, view.Body.PictureProblem = refused.Status, refused.Detail
	return view, err
}

type removePictureInput struct {
	Item     LockedItem
	Pictures *Pictures
	Tx       *sqldb.Tx
	After    *fastness.Background
}

// removePicture takes the picture of an item away.
func removePicture(ctx context.Context, in removePictureInput) (fastness.NoContent, error) {
	in.Pictures.forget(in.After, in.Item.Picture)
	return fastness.NoContent{}, updatePicture(ctx, in.Tx, in.Item.ID, filestore.Key{})
}

type readPictureInput struct {
	Item     Item
	Pictures *Pictures
}

// readPicture shows the picture of an item.
func readPicture(_ context.Context, in readPictureInput) (fastness.Download, error) {
	if in.Item.Picture.IsZero() {
		return fastness.Download{}, problem.New(http.StatusNotFound, "the item has no picture")
	}
	file, err := in.Pictures.files.Open(in.Item.Picture)
	if err != nil {
		return fastness.Download{}, err
	}
	return fastness.Download{
		Content: file, Name: fmt.Sprintf("item-%d", in.Item.ID), ContentType: file.Info.Type, Inline: true,
		Version: file.Info.Key.String(), Modified: file.Info.Saved,
	}, nil
}

// sweepPictures removes the files that no item refers to: those of items that are gone,
// and of requests that did not come to their end.
func sweepPictures(ctx context.Context, in struct {
	Pictures *Pictures
	DB       *sqldb.DB
}) error {
	_, err := in.Pictures.files.Sweep(ctx, time.Now().Add(-time.Hour), func(ctx context.Context, key filestore.Key) (there bool, err error) {
		err = in.DB.ReadTx(ctx, func(tx *sqldb.ReadTx) error {
			there, err = hasPicture(ctx, tx, key)
			return err
		})
		return there, err
	})
	return err
}
