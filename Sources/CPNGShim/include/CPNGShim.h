// libpng behind functions that return: its errors are long jumps, which must not cross Swift's frames.
#ifndef EASEL_PNG_SHIM_H
#define EASEL_PNG_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A text chunk. `text` is Latin-1, or UTF-8 where `international` is set (iTXt); it ends with a NUL.
typedef struct {
    char *keyword;
    char *text;
    size_t length;
    bool international;
} easel_png_text;

// Bytes that libpng made. Free with easel_png_free.
typedef struct {
    uint8_t *bytes;
    size_t count;
    uint32_t width;
    uint32_t height;
    easel_png_text *texts;
    size_t text_count;
    // The Exif data (eXIf); NULL where there is none.
    uint8_t *exif;
    size_t exif_count;
    // Why it failed, or an empty text.
    char error[200];
} easel_png;

// Encodes 8-bit RGB rows as a PNG file. With an error, there are no bytes.
easel_png easel_png_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, const easel_png_text *texts, size_t text_count);

// Decodes a PNG file to 8-bit RGB rows: 16-bit values are scaled down, palettes and grey expanded, and what is
// transparent is laid over the backdrop's grey. Refuses from the header a picture of more than `pixel_limit` pixels.
easel_png easel_png_decode(const uint8_t *file, size_t count, uint64_t pixel_limit, uint8_t backdrop);

// Decodes how transparent a PNG file's pixels are, a byte each: 0 is opaque, 255 not to be seen.
easel_png easel_png_decode_transparency(const uint8_t *file, size_t count, uint64_t pixel_limit);

void easel_png_free(easel_png *png);

#endif
