#include "CJPEGShim.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

// A progressive picture has some ten scans; each costs a pass over all of it.
enum { scan_limit = 500 };

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf jump;
    easel_jpeg *result;
} error_manager;

static void on_error(j_common_ptr info) {
    error_manager *manager = (error_manager *)info->err;
    char message[JMSG_LENGTH_MAX];
    manager->base.format_message(info, message);
    snprintf(manager->result->error, sizeof manager->result->error, "%s", message);
    longjmp(manager->jump, 1);
}

static void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    // libjpeg goes on with grey where the data end; half a picture is no picture.
    int code = info->err->msg_code;
    if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) on_error(info);
}

static void on_progress(j_common_ptr info) {
    if (((j_decompress_ptr)info)->input_scan_number > scan_limit) {
        error_manager *manager = (error_manager *)info->err;
        snprintf(manager->result->error, sizeof manager->result->error, "more than %d scans", scan_limit);
        longjmp(manager->jump, 1);
    }
}

// Inks to light; Adobe's programs write inks inverted.
static void convert_inks(uint8_t *rgb, const uint8_t *inks, uint32_t width, int inverted) {
    for (uint32_t x = 0; x < width; x++) {
        for (int channel = 0; channel < 3; channel++) {
            unsigned ink = inks[4 * x + channel], black = inks[4 * x + 3];
            if (!inverted) ink = 255 - ink, black = 255 - black;
            rgb[3 * x + channel] = (uint8_t)((ink * black + 127) / 255);
        }
    }
}

static void keep_exif(j_decompress_ptr info, easel_jpeg *result) {
    static const uint8_t label[] = "Exif\0";
    for (jpeg_saved_marker_ptr marker = info->marker_list; marker != NULL; marker = marker->next) {
        if (marker->marker != JPEG_APP0 + 1 || marker->data_length <= 6 || memcmp(marker->data, label, 6) != 0)
            continue;
        result->exif_count = marker->data_length - 6;
        result->exif = malloc(result->exif_count);
        if (result->exif == NULL) ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
        memcpy(result->exif, marker->data + 6, result->exif_count);
        return;
    }
}

easel_jpeg easel_jpeg_decode(const uint8_t *file, size_t count, uint64_t pixel_limit) {
    easel_jpeg result = {0};
    // Volatile, so that what was set before a long jump is there after it.
    uint8_t *volatile inks = NULL;
    struct jpeg_decompress_struct info;
    struct jpeg_progress_mgr progress = {.progress_monitor = on_progress};
    error_manager manager = {.result = &result};
    memset(&info, 0, sizeof info);
    info.err = jpeg_std_error(&manager.base);
    manager.base.error_exit = on_error;
    manager.base.emit_message = on_message;
    if (setjmp(manager.jump) == 0) {
        jpeg_create_decompress(&info);
        info.progress = &progress;
        jpeg_mem_src(&info, file, count);
        jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
        jpeg_read_header(&info, TRUE);
        if ((uint64_t)info.image_width * info.image_height > pixel_limit) {
            snprintf(
                result.error, sizeof result.error, "%u × %u pixels are more than the %llu that are read",
                info.image_width, info.image_height, (unsigned long long)pixel_limit);
            longjmp(manager.jump, 1);
        }
        int has_inks = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
        info.out_color_space = has_inks ? JCS_CMYK : JCS_RGB;
        keep_exif(&info, &result);
        jpeg_start_decompress(&info);
        size_t stride = (size_t)info.output_width * 3;
        result.count = stride * info.output_height;
        result.bytes = calloc(result.count, 1);
        inks = has_inks ? malloc((size_t)info.output_width * 4) : NULL;
        if (result.bytes == NULL || (has_inks && inks == NULL)) ERREXIT1(&info, JERR_OUT_OF_MEMORY, 0);
        while (info.output_scanline < info.output_height) {
            uint8_t *row = result.bytes + stride * info.output_scanline;
            uint8_t *target = has_inks ? inks : row;
            jpeg_read_scanlines(&info, &target, 1);
            if (has_inks) convert_inks(row, inks, info.output_width, info.saw_Adobe_marker);
        }
        jpeg_finish_decompress(&info);
        result.width = info.output_width;
        result.height = info.output_height;
    }
    free(inks);
    jpeg_destroy_decompress(&info);
    if (result.error[0] != 0) {
        char error[sizeof result.error];
        memcpy(error, result.error, sizeof error);
        easel_jpeg_free(&result);
        memcpy(result.error, error, sizeof error);
    }
    return result;
}

easel_jpeg easel_jpeg_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, int quality, const uint8_t *exif, size_t exif_count
) {
    easel_jpeg result = {0};
    struct jpeg_compress_struct info;
    error_manager manager = {.result = &result};
    // libjpeg keeps both in variables of its caller, and changes them behind a long jump's back.
    unsigned char *volatile file = NULL;
    unsigned long count = 0;
    uint8_t *volatile marker = NULL;
    memset(&info, 0, sizeof info);
    info.err = jpeg_std_error(&manager.base);
    manager.base.error_exit = on_error;
    if (setjmp(manager.jump) == 0) {
        jpeg_create_compress(&info);
        jpeg_mem_dest(&info, (unsigned char **)&file, &count);
        info.image_width = width;
        info.image_height = height;
        info.input_components = 3;
        info.in_color_space = JCS_RGB;
        jpeg_set_defaults(&info);
        jpeg_set_quality(&info, quality, TRUE);
        // Colours as sharp as light: edges of drawings are often of colour alone.
        info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
        info.optimize_coding = TRUE;
        jpeg_start_compress(&info, TRUE);
        if (exif_count > 0) {
            marker = malloc(exif_count + 6);
            if (marker == NULL) ERREXIT1(&info, JERR_OUT_OF_MEMORY, 0);
            memcpy(marker, "Exif\0", 6);
            memcpy(marker + 6, exif, exif_count);
            jpeg_write_marker(&info, JPEG_APP0 + 1, marker, (unsigned)(exif_count + 6));
        }
        while (info.next_scanline < height) {
            JSAMPROW row = (JSAMPROW)(pixels + (size_t)info.next_scanline * width * 3);
            jpeg_write_scanlines(&info, &row, 1);
        }
        jpeg_finish_compress(&info);
        result.bytes = file;
        result.count = count;
        result.width = width;
        result.height = height;
    } else {
        free(file);
    }
    free(marker);
    jpeg_destroy_compress(&info);
    return result;
}

void easel_jpeg_free(easel_jpeg *jpeg) {
    free(jpeg->bytes);
    free(jpeg->exif);
    memset(jpeg, 0, sizeof *jpeg);
}
