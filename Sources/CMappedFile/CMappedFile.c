#include "CMappedFile.h"
