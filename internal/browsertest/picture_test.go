package browsertest_test

import (
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/fastness/fastness/internal/browsertest"
)

// photo writes a JPEG: a lantern in the dark, as far as circles go.
func photo(t *testing.T, folder string) string {
	t.Helper()
	const width, height = 1600, 900
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			dx, dy := float64(x-width/2)/width, float64(y-height/2)/height
			light := max(0, 1-4*(dx*dx+dy*dy))
			img.Set(x, y, color.RGBA{uint8(30 + 220*light), uint8(30 + 160*light*light), uint8(50 + 20*light), 255})
		}
	}
	name := filepath.Join(folder, "lantern.jpg")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(file, img, nil); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestAPictureInTheBrowser(t *testing.T) {
	folder := t.TempDir()
	b := browsertest.Open(t, browsertest.AnyCertificate())
	shop := serveShop(t, "admin")
	b.Visit(t, shop+"/login?next=/items/5/page")
	enter(t, b, "admin", "/items/5/page")

	page := filepath.Join(folder, "page.jpg")
	if err := os.WriteFile(page, []byte("<html><script>document.title='ran'</script>"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.Do(t, "a page as a picture", chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{page}), chromedp.Click(chromedp.CSS("#picture button")),
		waitFor(`document.querySelector("#picture [role=alert]") !== null && document.readyState === "complete"`))
	b.Do(t, "a photo", chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{photo(t, folder)}), chromedp.Click(chromedp.CSS("#picture button")),
		waitFor(`location.pathname === "/items/5/page" && document.querySelector(".item img")?.naturalWidth === 1200 && document.readyState === "complete"`))
	screenshot(t, b, "item-picture.png")
	accessible(t, b, axe(t))
	b.Visit(t, shop+"/")
	b.Do(t, "the front page has it", waitFor(`document.querySelector(".items img")?.naturalWidth === 1200`))
	screenshot(t, b, "home-picture.png")
	wantProblems(t, b, "favicon", "status of 422")
}
