// libjpeg behind functions that return: its errors are long jumps, which must not cross Swift's frames.
#ifndef EASEL_JPEG_SHIM_H
#define EASEL_JPEG_SHIM_H

#include <stddef.h>
#include <stdint.h>

// What libjpeg read: rows; or wrote: a file. Free with easel_jpeg_free.
typedef struct {
    // 8-bit RGB rows, or the file.
    uint8_t *bytes;
    size_t count;
    uint32_t width;
    uint32_t height;
    // The Exif data, after its "Exif\0\0"; NULL where there is none.
    uint8_t *exif;
    size_t exif_count;
    // Why it failed, or an empty text.
    char error[200];
} easel_jpeg;

// Decodes a JPEG file to 8-bit RGB rows; CMYK is converted without a profile. Refuses from the header a picture of
// more than `pixel_limit` pixels, and one that ends early or has more scans than any encoder writes.
easel_jpeg easel_jpeg_decode(const uint8_t *file, size_t count, uint64_t pixel_limit);

// Encodes 8-bit RGB rows, without thinning out colours. `exif` has no "Exif\0\0" and at most 65527 bytes.
easel_jpeg easel_jpeg_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, int quality, const uint8_t *exif, size_t exif_count
);

void easel_jpeg_free(easel_jpeg *jpeg);

#endif
