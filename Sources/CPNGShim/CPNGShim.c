#include "CPNGShim.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the bytes of one ancillary chunk may come to, and how many such chunks are kept.
enum { chunk_byte_limit = 1 << 20, chunk_count_limit = 64 };

static void on_error(png_structp png, png_const_charp message) {
    easel_png *result = png_get_error_ptr(png);
    snprintf(result->error, sizeof result->error, "%s", message);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void append(png_structp png, png_bytep bytes, size_t count) {
    easel_png *result = png_get_io_ptr(png);
    // Doubling keeps the number of copies small.
    size_t capacity = 4096;
    while (capacity < result->count) capacity *= 2;
    if (result->bytes == NULL || result->count + count > capacity) {
        while (capacity < result->count + count) capacity *= 2;
        uint8_t *grown = realloc(result->bytes, capacity);
        if (grown == NULL) png_error(png, "no memory for the file");
        result->bytes = grown;
    }
    memcpy(result->bytes + result->count, bytes, count);
    result->count += count;
}

static void flush(png_structp png) { (void)png; }

easel_png easel_png_encode(
    const uint8_t *rgb, uint32_t width, uint32_t height, const easel_png_text *texts, size_t text_count) {
    easel_png result = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &result, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    png_text *chunks = calloc(text_count + 1, sizeof *chunks);
    if (info == NULL || chunks == NULL) {
        snprintf(result.error, sizeof result.error, "no memory");
    } else if (setjmp(png_jmpbuf(png)) == 0) {
        png_set_write_fn(png, &result, append, flush);
        png_set_IHDR(
            png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
            PNG_FILTER_TYPE_DEFAULT);
        for (size_t i = 0; i < text_count; i++) {
            chunks[i].compression =
                texts[i].international ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE;
            chunks[i].key = texts[i].keyword;
            chunks[i].text = texts[i].text;
            chunks[i].text_length = texts[i].international ? 0 : texts[i].length;
            chunks[i].itxt_length = texts[i].international ? texts[i].length : 0;
        }
        png_set_text(png, info, chunks, (int)text_count);
        png_write_info(png, info);
        for (uint32_t row = 0; row < height; row++) png_write_row(png, rgb + (size_t)row * width * 3);
        png_write_end(png, NULL);
        result.width = width;
        result.height = height;
    }
    free(chunks);
    png_destroy_write_struct(&png, &info);
    if (result.error[0] != 0) {
        free(result.bytes);
        result.bytes = NULL;
        result.count = 0;
    }
    return result;
}

// The file's bytes, and how far they are read.
typedef struct {
    const uint8_t *bytes;
    size_t count;
    size_t position;
} source;

static void take(png_structp png, png_bytep bytes, size_t count) {
    source *from = png_get_io_ptr(png);
    if (from->count - from->position < count) png_error(png, "the file ends in the middle");
    memcpy(bytes, from->bytes + from->position, count);
    from->position += count;
}

// Whether a chunk says that it has more bytes than are left: libpng would ask for memory for all of them before it reads.
static bool claims_too_much(const uint8_t *file, size_t count) {
    if (count < 8 || png_sig_cmp((png_const_bytep)file, 0, 8) != 0) return false;
    size_t position = 8;
    while (count - position >= 8) {
        uint32_t length = png_get_uint_32((png_const_bytep)file + position);
        // Behind a chunk's bytes come four of its checksum.
        if ((uint64_t)length + 12 > count - position) return true;
        if (memcmp(file + position + 4, "IEND", 4) == 0) return false;
        position += 12 + (size_t)length;
    }
    return false;
}

static void keep_texts(png_structp png, png_infop info, easel_png *result) {
    png_textp texts = NULL;
    int count = 0;
    png_get_text(png, info, &texts, &count);
    if (count <= 0) return;
    easel_png_text *grown =
        realloc(result->texts, (result->text_count + (size_t)count) * sizeof *result->texts);
    if (grown == NULL) png_error(png, "no memory for texts");
    result->texts = grown;
    for (int i = 0; i < count; i++) {
        bool international = texts[i].compression >= PNG_ITXT_COMPRESSION_NONE;
        easel_png_text *text = &result->texts[result->text_count];
        text->keyword = strdup(texts[i].key);
        text->length = international ? texts[i].itxt_length : texts[i].text_length;
        text->text = calloc(text->length + 1, 1);
        result->text_count++;
        if (text->keyword == NULL || text->text == NULL) png_error(png, "no memory for texts");
        if (text->length > 0) memcpy(text->text, texts[i].text, text->length);
        text->international = international;
    }
}

static void keep_exif(png_structp png, png_infop info, easel_png *result) {
    png_bytep bytes = NULL;
    png_uint_32 count = 0;
    if (result->exif != NULL || png_get_eXIf_1(png, info, &count, &bytes) == 0 || count == 0) return;
    result->exif = malloc(count);
    if (result->exif == NULL) png_error(png, "no memory for Exif");
    memcpy(result->exif, bytes, count);
    result->exif_count = count;
}

// What is left of each pixel of four channels: how transparent it is.
static void keep_transparency(easel_png *png) {
    png->count /= 4;
    for (size_t i = 0; i < png->count; i++) png->bytes[i] = 255 - png->bytes[4 * i + 3];
}

static easel_png decode(
    const uint8_t *file, size_t count, uint64_t pixel_limit, bool transparency, uint8_t backdrop) {
    easel_png result = {0};
    source from = {file, count, 0};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &result, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    png_infop end = png ? png_create_info_struct(png) : NULL;
    if (info == NULL || end == NULL) {
        snprintf(result.error, sizeof result.error, "no memory");
    } else if (setjmp(png_jmpbuf(png)) == 0) {
        if (claims_too_much(file, count)) png_error(png, "the file ends in the middle");
        png_set_read_fn(png, &from, take);
        png_set_chunk_malloc_max(png, chunk_byte_limit);
        png_set_chunk_cache_max(png, chunk_count_limit);
        png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
        // With a gamma, libpng would mix what is half transparent in linear light: another grey than without.
        static const uint8_t colour_spaces[] = "gAMA\0sRGB\0iCCP\0cHRM";
        png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, colour_spaces, 4);
        png_read_info(png, info);
        uint32_t width = png_get_image_width(png, info);
        uint32_t height = png_get_image_height(png, info);
        if ((uint64_t)width * height > pixel_limit) {
            snprintf(
                result.error, sizeof result.error, "%u × %u pixels are more than the %llu that are read", width,
                height, (unsigned long long)pixel_limit);
            longjmp(png_jmpbuf(png), 1);
        }
        png_color_16 behind = {0, backdrop, backdrop, backdrop, backdrop};
        png_set_scale_16(png);
        png_set_expand(png);
        png_set_gray_to_rgb(png);
        size_t channels = transparency ? 4 : 3;
        if (transparency) {
            png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
        } else if (png_get_color_type(png, info) & PNG_COLOR_MASK_ALPHA
            || png_get_valid(png, info, PNG_INFO_tRNS)) {
            png_set_background(png, &behind, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
        }
        int passes = png_set_interlace_handling(png);
        png_read_update_info(png, info);
        if (png_get_rowbytes(png, info) != width * channels) png_error(png, "the rows are not RGB");
        result.count = (size_t)width * height * channels;
        result.bytes = calloc(result.count, 1);
        if (result.bytes == NULL) png_error(png, "no memory for the picture");
        for (int pass = 0; pass < passes; pass++)
            for (uint32_t row = 0; row < height; row++)
                png_read_row(png, result.bytes + (size_t)row * width * channels, NULL);
        png_read_end(png, end);
        if (transparency) keep_transparency(&result);
        result.width = width;
        result.height = height;
        // libpng gathers texts before and behind the pixels in two places.
        keep_texts(png, info, &result);
        keep_texts(png, end, &result);
        keep_exif(png, info, &result);
        keep_exif(png, end, &result);
    }
    png_destroy_read_struct(&png, &info, &end);
    if (result.error[0] != 0) {
        char error[sizeof result.error];
        memcpy(error, result.error, sizeof error);
        easel_png_free(&result);
        memcpy(result.error, error, sizeof error);
    }
    return result;
}

easel_png easel_png_decode(const uint8_t *file, size_t count, uint64_t pixel_limit, uint8_t backdrop) {
    return decode(file, count, pixel_limit, false, backdrop);
}

easel_png easel_png_decode_transparency(const uint8_t *file, size_t count, uint64_t pixel_limit) {
    return decode(file, count, pixel_limit, true, 0);
}

void easel_png_free(easel_png *png) {
    free(png->bytes);
    for (size_t i = 0; i < png->text_count; i++) {
        free(png->texts[i].keyword);
        free(png->texts[i].text);
    }
    free(png->texts);
    free(png->exif);
    memset(png, 0, sizeof *png);
}
