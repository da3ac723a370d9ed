void easel_mapped_file_placeholder(void);
